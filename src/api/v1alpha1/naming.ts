import { hashHex } from '../../lib/hash.ts';

/** API group and version of `Performer`. */
export const group = 'hourglass.eigenlayer.io';
export const version = 'v1alpha1';

/** Keys of the labels the operator reads and writes. */
export const labels = {
  app: 'app',
  performer: 'hourglass.eigenlayer.io/performer',
  avs: 'hourglass.eigenlayer.io/avs',
  instance: 'app.kubernetes.io/instance',
  revision: 'hourglass.eigenlayer.io/revision',
  index: 'hourglass.eigenlayer.io/index',
  version: 'app.kubernetes.io/version',
} as const;

/** Value of the label `app` on every pod of a Performer. */
export const appLabelValue = 'hourglass-performer';

/** Label selector that finds the pods of all Performers, in service or not. */
export const performerPodsSelector = `${labels.app}=${appLabelValue}`;

export const annotations = {
  /** RFC 3339 server time at which a pod was taken out of its Service. */
  withdrawnAt: 'hourglass.eigenlayer.io/withdrawn-at',
  /** How many pods in a row ended right after their creation before this one was made. */
  failures: 'hourglass.eigenlayer.io/failures',
} as const;

/** Carried by objects that earlier operators of this API made. Removed on deletion, never added. */
export const legacyFinalizer = 'hourglass.eigenlayer.io/performer-finalizer';

/** The one container of a performer pod. */
export const containerName = 'performer';

/** Name of the container port and of the Service port. */
export const portName = 'grpc';

/** The Lease all operators of this API share, whoever wrote them, so that one hands over to the next. */
export const leaseName = 'b8e8a8a8.hourglass.eigenlayer.io';

/** The Lease of one shard, or that of an operator of all Performers. Pure. */
export function leaseNameOf(shard?: { readonly index: number; readonly count: number }): string {
  return shard === undefined ? leaseName : `${leaseName}.shard-${shard.index}-of-${shard.count}`;
}

export const userAgent = 'hourglass-operator';

const labelValueMaxLength = 63;

/** Name of the Service of a Performer; stable for its life. Pure. */
export function serviceName(performerName: string): string {
  return `performer-${performerName}`;
}

/** Name of the first pod of a Performer. Pure. */
export function firstPodName(performerName: string): string {
  return `performer-${performerName}`;
}

/**
 * Name of any pod after the first. The four digits keep it apart from the first pod of a Performer that is called `<name>-<index>`. Pure.
 *
 * @param uid of the Performer
 * @param index 1 or more
 */
export function laterPodName(performerName: string, uid: string, index: number): string {
  return `performer-${performerName}-${hashHex(uid).slice(0, 4)}-${index}`;
}

/** DNS name of the Service, without a port: clients add the number themselves. Pure. */
export function grpcEndpoint(performerName: string, namespace: string, clusterDomain = 'cluster.local'): string {
  return `${serviceName(performerName)}.${namespace}.svc.${clusterDomain}`;
}

/** Selector of the Service: the pods of one Performer that are in service. Pure. */
export function performerSelector(performerName: string): Readonly<Record<string, string>> {
  return { [labels.performer]: performerName };
}

/** An AVS address as a label value: lower case, without underscores. Always a valid value, '' where nothing usable is left. Pure. */
export function avsLabelValue(address: string): string {
  return labelValue(address.toLowerCase().replaceAll('_', '-'));
}

/** A version as a label value: case and underscores kept. Always a valid value, '' where nothing usable is left. Pure. */
export function versionLabelValue(text: string): string {
  return labelValue(text);
}

function labelValue(text: string): string {
  return text
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, labelValueMaxLength)
    .replace(/^[^A-Za-z0-9]+/, '')
    .replace(/[^A-Za-z0-9]+$/, '');
}
