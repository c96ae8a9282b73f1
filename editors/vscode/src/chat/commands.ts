/** The commands of a question, as the server knows them; `heron/editor/prompt/commands.py`. */
export const COMMANDS: readonly (readonly [string, string])[] = [
  ["explain", "what code does"],
  ["fix", "find and mend a fault"],
  ["tests", "write tests"],
  ["doc", "write a documentation comment"],
  ["refactor", "make code simpler"],
  ["commit", "write a commit message for the uncommitted changes"],
  ["help", "commands and references"],
];
