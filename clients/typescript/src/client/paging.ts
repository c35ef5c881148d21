// Lists that come in pages, as what can be gone through.

/** One page; `next` is the cursor of the following one, null where there is none. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string | null;
}

/** A list that is fetched page by page, as far as it is gone through: `for await (const key of client.listKeys())`. */
export class Paged<Item> implements AsyncIterable<Item> {
  readonly #fetch: (cursor: string | undefined) => Promise<Page<Item>>;

  constructor(fetch: (cursor: string | undefined) => Promise<Page<Item>>) {
    this.#fetch = fetch;
  }

  /** Every item. A page is fetched when the one before has been gone through. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for await (const page of this.pages()) yield* page.items;
  }

  /** The same, a page at a time. A page may be empty and not the last. */
  async *pages(): AsyncGenerator<Page<Item>, void, undefined> {
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: Page<Item> = await this.#fetch(cursor);
      yield page;
      cursor = page.next ?? null;
    }
  }

  /** One page: the first, or that of a cursor. */
  page(cursor?: string): Promise<Page<Item>> {
    return this.#fetch(cursor);
  }

  /** All items at once. Mind how many there may be. */
  async all(): Promise<Item[]> {
    const items: Item[] = [];
    for await (const item of this) items.push(item);
    return items;
  }
}
