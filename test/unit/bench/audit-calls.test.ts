import { describe, expect, it } from 'vitest';
import { readRequests, subtractCounts } from '../../../src/bench/audit-calls.ts';

const line = (verb: string, resource: string, subresource: string, count: number, code = '200'): string =>
  `apiserver_request_total{code="${code}",component="apiserver",dry_run="",group="",resource="${resource}",scope="resource",subresource="${subresource}",verb="${verb}",version="v1"} ${count}`;

describe("requests by the API server's own count", () => {
  it('are by verb and kind as the audit log names them, whatever came of them', () => {
    const page = [
      '# TYPE apiserver_request_total counter',
      line('POST', 'pods', '', 40, '201'),
      line('POST', 'pods', '', 2, '409'),
      line('APPLY', 'performers', 'status', 3),
      line('PATCH', 'performers', 'status', 4),
      line('PUT', 'leases', '', 1.2e1),
      line('LIST', 'pods', '', 5),
      line('GET', '', '', 7),
      'apiserver_request_total_other{resource="pods",verb="POST"} 1',
    ].join('\n');
    expect(readRequests(page)).toEqual({
      'create pods': 42,
      'patch performers/status': 7,
      'update leases': 12,
      'list pods': 5,
    });
  });

  it('of a while are what came on top', () => {
    expect(subtractCounts({ 'create pods': 5, 'list pods': 3, 'watch pods': 1 }, { 'create pods': 2, 'list pods': 3 })).toEqual({
      'create pods': 3,
      'watch pods': 1,
    });
  });
});
