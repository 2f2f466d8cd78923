import { expect, it } from 'vitest';
import { renderSvg } from '../../../src/bench/chart.ts';

it('draws a chart as a file that stands alone', async () => {
  const svg = await renderSvg({
    title: 'a title',
    data: { values: [{ at: 1, ms: 2 }] },
    mark: 'point',
    encoding: { x: { field: 'at', type: 'quantitative' }, y: { field: 'ms', type: 'quantitative' } },
  });
  expect(svg).toMatch(/^<svg /);
  expect(svg).toContain('a title');
});
