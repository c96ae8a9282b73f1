/** The code in a model's answer while it is being written: what stands in its code block, or all where there is none. */

const FENCE = /^[ \t]*(`{3,}|~{3,})[^\n`]*\n/m;

/** Undefined as long as nothing of the code is there. */
export function codeOf(answer: string): string | undefined {
  const open = FENCE.exec(answer);
  if (open === null) return mayBecomeFence(answer) ? undefined : answer;
  const code = answer.slice(open.index + open[0].length);
  const mark = open[1] ?? "```";
  const close = new RegExp(`^[ \\t]*${mark}[ \\t]*$`, "m").exec(code);
  return withoutPartOfFence(close === null ? code : code.slice(0, close.index), mark);
}

/** A first line that has not ended may be the opening fence; words before a block are none of its code. */
function mayBecomeFence(answer: string): boolean {
  const last = answer.slice(answer.lastIndexOf("\n") + 1).trimStart();
  return answer.trim() === "" || last.startsWith("`") || last.startsWith("~");
}

/** The last line may be the beginning of the closing fence. */
function withoutPartOfFence(code: string, mark: string): string {
  const start = code.lastIndexOf("\n") + 1;
  const last = code.slice(start).trim();
  return last !== "" && mark.startsWith(last) ? code.slice(0, start) : code;
}
