// Reading the text of an answer that is no success: as far as it is kept, and as far as it comes.

/**
 * The beginning of an answer's text, of at least `most` characters where there are as many.
 *
 * A short text is read to its end, so that its connection can be used again; of a longer one no more is fetched. Where the
 * connection breaks, what came is given: status and header fields were told already. An abort is thrown.
 */
export async function beginning(response: Response, most: number, signal: AbortSignal): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  try {
    while (text.length < most) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      text += decoder.decode(value, { stream: true });
    }
    await reader.cancel();
  } catch (error) {
    if (signal.aborted) throw error;
  }
  return text;
}
