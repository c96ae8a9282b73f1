/** Where a link of an answer may lead. What a model writes is not trusted: it may repeat what it read somewhere. */

export type Target =
  | { readonly kind: "web"; readonly href: string }
  /** A path in the workspace, with a line counted from 1. */
  | { readonly kind: "path"; readonly path: string; readonly line: number | undefined };

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
/** Control and format characters, which hide what a text is. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}]/gu;
const PATH = /^(?!\/\/)([^?#]+?)(?:#L(\d+)[^#]*|:(\d+)(?:[-:]\d+)?)?$/;

/** Web pages over HTTP, and files of the workspace by relative paths; undefined for all else. */
export function readLink(href: string): Target | undefined {
  const plain = href.replace(UNPRINTABLE, "").trim();
  const line = /^[\w./+-]+\.\w+:\d/.test(plain); // `a.py:3` looks like a scheme
  if (SCHEME.test(plain) && !line) return readWeb(plain);
  const found = PATH.exec(safeDecode(plain));
  const path = found?.[1];
  if (path === undefined || path.startsWith("/") || path.includes("\\") || path.split("/").includes(".."))
    return undefined;
  const number = found?.[2] ?? found?.[3];
  return { kind: "path", path, line: number === undefined ? undefined : Number(number) };
}

function readWeb(text: string): Target | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url !== undefined && (url.protocol === "https:" || url.protocol === "http:");
  return isWeb && url.username === "" && url.password === "" ? { kind: "web", href: url.href } : undefined;
}

/** Percent signs undone; a path where they are broken is taken as it is. */
function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text).replace(UNPRINTABLE, "");
  } catch {
    return text;
  }
}
