// Which of two positions is the newer: answers to calls that were made at once come in any order.

const PRINTED = /^(.+)-(\d{1,15})$/;

/** The position to send: what was said last, unless it is an earlier one of the same feed. */
export function newer(known: string | undefined, said: string | null): string | undefined {
  if (said === null) return known;
  const [before, after] = [PRINTED.exec(known ?? ""), PRINTED.exec(said)];
  const earlier = before?.[1] === after?.[1] && Number(after?.[2]) < Number(before?.[2]);
  return earlier ? known : said;
}
