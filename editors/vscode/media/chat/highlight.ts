/** Code with its syntax marked, as HTML that holds nothing but text and `span` elements with classes. */
import type { HLJSApi, LanguageFn } from "highlight.js";
import core from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import lua from "highlight.js/lib/languages/lua";
import markdown from "highlight.js/lib/languages/markdown";
import php from "highlight.js/lib/languages/php";
import python from "highlight.js/lib/languages/python";
import ruby from "highlight.js/lib/languages/ruby";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";

/** With these names and their aliases, such as `py`, `toml` and `html`. */
const LANGUAGES: Readonly<Record<string, LanguageFn>> = {
  ...{ bash, c, cpp, csharp, css, diff, go, ini, java, javascript, json, lua, markdown },
  ...{ php, python, ruby, rust, sql, typescript, xml, yaml },
};

/** Longer code is shown plain: marking it would hold up the answer. */
const MAX_CHARACTERS = 50_000;
const CACHED = 64;

export type Highlight = (code: string, language: string) => string;

/** A highlighter that remembers what it marked last: an answer that grows is rendered many times. */
export function createHighlight(): Highlight {
  const highlighter = core.newInstance();
  for (const [name, language] of Object.entries(LANGUAGES)) highlighter.registerLanguage(name, language);
  const cache = new Map<string, string>();
  return (code, language) => {
    const key = `${language}\n${code}`;
    const html = cache.get(key) ?? mark(highlighter, code, language);
    cache.delete(key);
    cache.set(key, html);
    const oldest = cache.size > CACHED ? cache.keys().next().value : undefined;
    if (oldest !== undefined) cache.delete(oldest);
    return html;
  };
}

function mark(highlighter: HLJSApi, code: string, language: string): string {
  const isKnown = code.length <= MAX_CHARACTERS && highlighter.getLanguage(language) !== undefined;
  return isKnown ? highlighter.highlight(code, { language, ignoreIllegals: true }).value : escapeHtml(code);
}

export function escapeHtml(text: string): string {
  const names: Readonly<Record<string, string>> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "#39" };
  return text.replace(/[&<>"']/g, (character) => `&${names[character] ?? ""};`);
}
