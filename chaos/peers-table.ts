import { formatFigure, formatTable } from '../src/bench/report.ts';
import type { ChaosReport } from './report.ts';

/** Told of every subject in every experiment, whether something bounds them or not. */
const always = ['failed throughout', 'outage ms', 'fault to first answer of another pod ms', 'heal to as asked ms', 'failed of bystander'];

/** By experiment and figure, what each subject came to: p50 of the runs that are conclusive, and the largest where there are more. Pure. */
function peerRows(reports: readonly ChaosReport[]): readonly (readonly string[])[] {
  const ids = [...new Set(reports.flatMap(({ runs, leftOut = [] }) => [...runs, ...leftOut].map(({ id }) => id)))].toSorted();
  return ids.flatMap((id) => {
    const title = reports.flatMap(({ runs, leftOut = [] }) => [...runs, ...leftOut]).find((one) => one.id === id)?.title ?? '';
    if (reports.every(({ runs }) => runs.every((run) => run.id !== id)))
      return [[id, title, '–', ...reports.map((report) => cellOf(report, id, ''))]];
    const bound = reports.flatMap(({ runs }) => runs.filter((run) => run.id === id).flatMap(({ goals }) => goals));
    const named = bound.filter(({ goal }) => goal !== '-').map(({ figure }) => figure);
    return [...new Set([...always, ...named])].flatMap((figure) => {
      const cells = reports.map((report) => cellOf(report, id, figure));
      return cells.every((cell) => cell === '–') ? [] : [[id, title, figure, ...cells]];
    });
  });
}

function cellOf({ runs, leftOut = [] }: ChaosReport, id: string, figure: string): string {
  const out = leftOut.find((one) => one.id === id);
  if (out !== undefined) return out.why;
  const own = runs.filter((run) => run.id === id && run.verdict !== 'inconclusive');
  const taken = own.flatMap(({ figures = {} }) => figures[figure] ?? []).toSorted((a, b) => a - b);
  const [middle, most] = [taken[(taken.length - 1) >> 1], taken.at(-1)];
  if (own.length === 0) return 'inconclusive';
  if (middle === undefined || most === undefined) return '–';
  const text = taken.length === 1 ? formatFigure(middle) : `${formatFigure(middle)} (${formatFigure(most)})`;
  // What never came in some of the runs must not look like what did.
  return taken.length === own.length ? text : `${text} in ${taken.length} of ${own.length}`;
}

const headOf = (reports: readonly ChaosReport[]): readonly string[] => [
  'id',
  'experiment',
  'figure',
  ...reports.map(({ subject = '?' }) => subject),
];

/** For a terminal. Pure. */
export function formatPeers(reports: readonly ChaosReport[]): string {
  return formatTable([...headOf(reports)], peerRows(reports));
}

/** As Markdown, with what it was taken on. Pure. */
export function renderPeers(reports: readonly ChaosReport[]): string {
  const [first] = reports;
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const head = headOf(reports);
  const counts = reports.map(({ subject = '?', runs, partialBecause }) => {
    const open = runs.filter(({ verdict }) => verdict === 'inconclusive').length;
    const rest = partialBecause === undefined ? '' : `, not all was run: ${partialBecause}`;
    return `${subject}: ${runs.length} runs, ${open} inconclusive${rest}`;
  });
  return [
    `Suite ${first?.suite}, seed ${first?.seed}, ${first?.startedAt}; ${first?.machine.cpu}, ${first?.machine.cores} cores; ${first?.load.perSecond} tasks a second from each of ${first?.cluster.nodes} nodes to each of two performers. ${counts.join('; ')}.`,
    'Times in ms; p50, and the largest in brackets where there is more than one run; –: it never came, or cannot be measured.',
    '',
    line(head),
    line(head.map(() => '---')),
    ...peerRows(reports).map(line),
    '',
  ].join('\n');
}
