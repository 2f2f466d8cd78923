/** When a fault can strike: while nobody is to listen, when a connection is taken, when a request has come, at an event of a watch. */
export type Occasion = 'listen' | 'accept' | 'request' | 'event';

interface FaultKind {
  /** Can befall no other requests. */
  readonly only?: 'watch';
  /** Default `request`; what befalls events befalls the whole body of other answers. */
  readonly at?: Occasion;
  /** Can befall what is open already. */
  readonly open?: true;
  /** The first is meant where none is named. */
  readonly variants?: readonly string[];
  /** Its length in milliseconds where none is given; absent where it has none. */
  readonly ms?: number;
  readonly says: string;
}

/** Everything the proxy can do to a request, a stream or a connection, by stable name. */
export const faultCatalogue = {
  delay: { ms: 300, says: 'the request is passed on this much later' },
  reset: { open: true, variants: ['connection', 'stream'], says: 'RST instead of an answer; the request is not passed on' },
  'half-open': {
    open: true,
    variants: ['connection', 'request', 'stream'],
    says: 'silence: of the connection for good, pings included; of a request that is swallowed; of an answer after its head',
  },
  'truncated-body': { at: 'event', variants: ['cut', 'end'], says: 'half of an answer or event, then RST, or an end as if it were whole' },
  throttle: { variants: ['retry-after', 'bare'], ms: 1_000, says: '429, with or without Retry-After; not applied' },
  'error-before': { variants: ['503', '500'], says: 'this status; the call is not applied' },
  'error-after': { variants: ['reset', '504', '500'], says: 'the call is applied, then RST or this status' },
  expired: { only: 'watch', open: true, variants: ['event', 'status'], says: '410 as an ERROR event or as the status of the answer' },
  goaway: {
    open: true,
    variants: ['graceful', 'refusing', 'abrupt'],
    says: 'GOAWAY; streams go on, or this one is refused, or all end with the connection (HTTP/1.1: Connection: close, or RST)',
  },
  'slow-bytes': { at: 'event', ms: 20, says: 'the answer in pieces of 256 bytes, this far apart' },
  'duplicate-event': { only: 'watch', at: 'event', says: 'an event comes twice' },
  'late-event': {
    only: 'watch',
    at: 'event',
    variants: ['lag', 'replay'],
    ms: 300,
    says: 'an event and all after it come late, or an old one again',
  },
  'bad-json': { at: 'event', says: 'an answer or event that is no JSON' },
  'wrong-certificate': { at: 'accept', says: 'new connections are shown a certificate of an unknown authority' },
  refuse: { at: 'listen', says: 'nobody listens, and connections are reset: the server is gone' },
  'close-stream-after': { only: 'watch', open: true, ms: 1_000, says: 'a watch ends cleanly at this age' },
  'silent-stream': { only: 'watch', open: true, says: 'a watch delivers nothing more; its connection answers pings' },
} as const satisfies Record<string, FaultKind>;

type Catalogue = typeof faultCatalogue;
export type FaultName = keyof Catalogue;
type Variant<Name extends FaultName> = Catalogue[Name] extends { readonly variants: readonly (infer Known)[] } ? Known : never;

/** A fault to play, e.g. `{ name: 'goaway', variant: 'abrupt' }`. `ms` only where the catalogue has one. */
export type Fault = {
  [Name in FaultName]: { readonly name: Name; readonly variant?: Variant<Name>; readonly ms?: number };
}[FaultName];

/** Which requests a rule is about; every member given must hold. A rule without `match` is about all of them, and about connections as such. */
export interface Match {
  readonly verb?: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  readonly method?: string;
  /** Plural name, e.g. `pods`. */
  readonly resource?: string;
  /** Of path and query. */
  readonly path?: RegExp;
  readonly watch?: boolean;
  /** Only the n-th request (of a watch under way: event) that the rest of the rule is about; 1 is the first. */
  readonly nth?: number;
}

export interface Rule {
  readonly fault: Fault;
  readonly match?: Match;
  /** Of each occasion, drawn from the proxy's seed; default 1. */
  readonly probability?: number;
  /** How often at most; default: no limit. */
  readonly times?: number;
}

export const faultNames = Object.keys(faultCatalogue) as readonly FaultName[];

/** A row of the catalogue. Pure. */
export function kindOf(name: FaultName): FaultKind {
  return faultCatalogue[name];
}

/** The milliseconds of a fault, its default where it names none. Pure. */
export function lengthOf(fault: Fault): number {
  return fault.ms ?? kindOf(fault.name).ms ?? 0;
}

/** The variant of a fault, the catalogue's first where it names none; '' where there are none. Pure. */
export function variantOf(fault: Fault): string {
  return fault.variant ?? kindOf(fault.name).variants?.[0] ?? '';
}

/** `goaway/abrupt`, `delay/300ms`. Pure. */
export function faultText(fault: Fault): string {
  const ms = lengthOf(fault);
  return [fault.name, variantOf(fault), ms === 0 ? '' : `${ms}ms`].filter((part) => part !== '').join('/');
}
