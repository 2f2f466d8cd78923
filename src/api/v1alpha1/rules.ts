import * as defaults from './defaults.ts';

interface RuleText {
  /** Names the field and what to do. */
  readonly message: string;
  /** The same statement for the API server, as a CEL expression over `self`, and `oldSelf` where it is about a change. */
  readonly cel: string;
  /** The field below the value that a breach is shown at; the value itself when absent. */
  readonly field?: string;
}

/** A statement about a value that is new or was changed: the API server lets an unchanged one pass. */
export interface Rule<Value> extends RuleText {
  holds(value: Value): boolean;
}

/** A statement about a change of a value that is there before and after. */
export interface ChangeRule<Value> extends RuleText {
  allows(value: Value, old: Value): boolean;
}

const addressPattern = '^0x[0-9a-fA-F]{40}$';
const isAddress = matcher(addressPattern);

export const addressForm: Rule<string> = {
  message: 'spec.avsAddress must be 0x and 40 hexadecimal digits: give the address of the AVS',
  cel: `self.matches('${addressPattern}')`,
  holds: isAddress,
};

/** A text of earlier times that is no address may be put right; the case of digits is no part of an address. */
export const addressIsKept: ChangeRule<string> = {
  message: 'spec.avsAddress cannot be changed: create another Performer for another AVS',
  cel: `!oldSelf.matches('${addressPattern}') || self.lowerAscii() == oldSelf.lowerAscii()`,
  allows: (address, old) => !isAddress(old) || address.toLowerCase() === old.toLowerCase(),
};

const imagePattern = (() => {
  const label = '[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?';
  // A first part in lower case, without a dot or a port, reads as part of the path.
  const host = `(${label}([.]${label})+(:[0-9]+)?|${label}:[0-9]+|\\[[0-9a-fA-F:]+\\](:[0-9]+)?)/`;
  const part = '[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*';
  const tag = ':[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
  const digest = '@[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
  return `^(${host})?${part}(/${part})*(${tag})?(${digest})?$`;
})();

export const imageForm: Rule<string> = {
  message:
    'spec.image must be an image reference such as registry.example/team/performer:1.0.0 or one with @sha256:…: no spaces, the repository in lower case, a tag after its colon',
  cel: `self.matches(r'${imagePattern}')`,
  holds: matcher(imagePattern),
};

/** Kinds of trusted execution environments the operator knows nodes and runtimes for. */
export const teeTypes = ['sgx', 'tdx', 'sev', 'sev-snp'] as const;

interface Hardware {
  readonly gpuType?: string | undefined;
  readonly gpuCount?: number | undefined;
  readonly teeRequired?: boolean | undefined;
  readonly teeType?: string | undefined;
}

export const teeHasType: Rule<Hardware> = {
  message: `spec.hardwareRequirements.teeType must be one of ${teeTypes.join(', ')} where teeRequired is true`,
  cel: `!has(self.teeRequired) || !self.teeRequired || (has(self.teeType) && self.teeType in [${teeTypes.map((type) => `'${type}'`).join(', ')}])`,
  field: 'teeType',
  holds: ({ teeRequired, teeType }) => teeRequired !== true || teeTypes.some((known) => known === teeType),
};

export const gpuHasCount: Rule<Hardware> = {
  message: 'spec.hardwareRequirements.gpuCount must be 1 or more where gpuType is given',
  cel: "!has(self.gpuType) || self.gpuType == '' || (has(self.gpuCount) && self.gpuCount >= 1)",
  field: 'gpuCount',
  holds: ({ gpuType, gpuCount }) => gpuType === undefined || gpuType === '' || (gpuCount ?? 0) >= 1,
};

/** @param names the fields of which a variable has one as its source */
export function oneSource<const Names extends readonly string[]>(...names: Names): Rule<{ readonly [Name in Names[number]]?: unknown }> {
  return {
    message: `valueFrom must have exactly one of ${names.join(', ')}`,
    cel: `[${names.map((name) => `has(self.${name})`).join(', ')}].filter(present, present).size() == 1`,
    holds: (value) => names.filter((name) => value[name as Names[number]] !== undefined).length === 1,
  };
}

export const valueOrSource: Rule<{ readonly value?: string | undefined; readonly valueFrom?: unknown }> = {
  message: 'a variable must have value or valueFrom, not both',
  cel: "!has(self.valueFrom) || !has(self.value) || self.value == ''",
  holds: ({ value, valueFrom }) => valueFrom === undefined || value === undefined || value === '',
};

type CountOrShare = string | number | undefined;
const isZero = (value: CountOrShare): boolean => value === 0 || value === '0%';

export const rolloutMoves: Rule<{ readonly maxSurge?: CountOrShare; readonly maxUnavailable?: CountOrShare }> = {
  message: 'spec.strategy.rollingUpdate must not have both maxSurge and maxUnavailable 0: no pod could be replaced',
  cel: '!has(self.maxSurge) || !has(self.maxUnavailable) || ![self.maxSurge, self.maxUnavailable].all(n, n == 0 || n == "0%")',
  holds: ({ maxSurge, maxUnavailable }) => !isZero(maxSurge) || !isZero(maxUnavailable),
};

export const recreateHasNoSteps: Rule<{ readonly type?: string | undefined; readonly rollingUpdate?: unknown }> = {
  message: 'spec.strategy.rollingUpdate has no effect with type Recreate: leave it out',
  cel: "!has(self.rollingUpdate) || !has(self.type) || self.type != 'Recreate'",
  field: 'rollingUpdate',
  holds: ({ type, rollingUpdate }) => rollingUpdate === undefined || type !== 'Recreate',
};

export const managerIsKept: ChangeRule<{ readonly managedBy?: string | undefined }> = {
  message: 'spec.managedBy cannot be changed: delete the Performer and create it again',
  cel: ['self', 'oldSelf'].map((spec) => `(has(${spec}.managedBy) ? ${spec}.managedBy : '${defaults.managedBy}')`).join(' == '),
  field: 'managedBy',
  allows: (spec, old) => (spec.managedBy ?? defaults.managedBy) === (old.managedBy ?? defaults.managedBy),
};

/** About the whole object, and at creation only: objects that are there already stay writable. */
export const nameFits: Rule<{ readonly metadata: { readonly name: string } }> = {
  message:
    'metadata.name must have at most 53 characters and no dots, since names of pods and of the Service are made from it: choose another name',
  cel: "oldSelf.hasValue() || (self.metadata.name.size() <= 53 && !self.metadata.name.contains('.'))",
  field: 'metadata.name',
  holds: ({ metadata }) => metadata.name.length <= 53 && !metadata.name.includes('.'),
};

function matcher(pattern: string): (value: string) => boolean {
  const expression = new RegExp(pattern);
  return (value) => expression.test(value);
}
