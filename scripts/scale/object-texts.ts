import { nameOf, type Plural, type Settled } from './settled.ts';

/** Texts of as many objects as are asked for, all like the one that was recorded but for names and uids. Nothing of them is kept. */
export class ObjectTexts {
  readonly count: number;
  readonly #parts: Readonly<Record<Plural, readonly string[]>>;

  constructor(settled: Settled, count: number) {
    this.count = count;
    // A uid is told by its first eight digits; those of the three kinds stay apart by the rest.
    const uids = Object.values(settled).map((text) => (JSON.parse(text) as { readonly metadata: { readonly uid: string } }).metadata.uid);
    const own = new RegExp([nameOf(0), ...uids.map((uid) => uid.slice(0, 8))].join('|'), 'g');
    const split = (text: string): readonly string[] => {
      const marks = [...text.matchAll(own)].map(([mark]) => (mark === nameOf(0) ? 'name' : 'uid'));
      return text.split(own).flatMap((part, at) => (at === 0 ? [part] : [marks[at - 1] ?? '', part]));
    };
    this.#parts = { performers: split(settled.performers), pods: split(settled.pods), services: split(settled.services) };
  }

  /** @param index from 0 */
  text(plural: Plural, index: number): string {
    const [name, uid] = [nameOf(index), index.toString(16).padStart(8, '0')];
    return this.#parts[plural].map((part, at) => (at % 2 === 0 ? part : part === 'name' ? name : uid)).join('');
  }

  /** Of the object of that name, or of the child of the Performer of that name. */
  indexOf(name: string): number {
    return Number(/p(\d{8})/.exec(name)?.[1] ?? Number.NaN);
  }
}
