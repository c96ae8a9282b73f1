/** Typing in an editor of the extension host, and what became of completions there. */
import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  commands,
  EventEmitter,
  Position,
  Selection,
  type TextDocument,
  type TextEditor,
  Uri,
  window,
  workspace,
} from "vscode";
import { folder, PATIENCE_MS, parts, until } from "./harness";

const TRY_MS = 50;
const LOOK_MS = 10;

export interface Told {
  readonly method: string;
  readonly params: { readonly item?: { readonly insertText: string }; readonly acceptedLength?: number };
}

/** What the extension tells the server, passed on as it is. */
export class Ear implements Disposable {
  readonly told: Told[] = [];
  readonly #heard = new EventEmitter<Told>();
  #restore: () => void = () => undefined;

  async listen(): Promise<this> {
    const { server } = await parts();
    const send = server.sendNotification.bind(server);
    server.sendNotification = async (method, params) => {
      await send(method, params);
      const told = { method, params } as Told;
      this.told.push(told);
      this.#heard.fire(told);
    };
    this.#restore = () => {
      server.sendNotification = send;
    };
    return this;
  }

  of(method: string): Told[] {
    return this.told.filter((one) => one.method === method);
  }

  until(method: string, count: number, patienceMs?: number): Promise<void> {
    return until(this.#heard.event, `${count} times ${method}`, () => this.of(method).length >= count, patienceMs);
  }

  [Symbol.dispose](): void {
    this.#restore();
  }
}

export async function openText(name: string, text: string): Promise<TextEditor> {
  const path = join(folder(), name);
  await writeFile(path, text);
  const document = await workspace.openTextDocument(Uri.file(path));
  const editor = await window.showTextDocument(document);
  const end = document.positionAt(text.length);
  editor.selection = new Selection(end, end);
  return editor;
}

/** What the server tells of the last completion it was asked for. */
export interface Timings {
  readonly version: number;
  readonly outcome: string;
  /** The last of them, "finish", is there once it was answered. */
  readonly stagesMs: Readonly<Record<string, number>>;
}

/** How the completion for a document as it is now was answered, once it was. */
export function answered(document: TextDocument): Promise<Timings | null> {
  return timingsOnce((timings) => timings?.version === document.version && isAnswered(timings));
}

/** How the last completion was answered, once it was; null if there was none. */
export function lastAnswered(): Promise<Timings | null> {
  return timingsOnce((timings) => timings === null || isAnswered(timings));
}

function isAnswered({ stagesMs }: Timings): boolean {
  return "finish" in stagesMs;
}

async function timingsOnce(fits: (timings: Timings | null) => boolean): Promise<Timings | null> {
  const { server } = await parts();
  const latest = performance.now() + PATIENCE_MS;
  while (performance.now() < latest) {
    const timings = await server.sendRequest<Timings | null>("heron/lastTimings", {});
    if (fits(timings)) return timings;
    await delay(LOOK_MS);
  }
  return assert.fail("waited in vain for a completion to be asked for and answered");
}

/** As if it were typed; all at once where `text` is longer than a character. */
export async function type(text: string): Promise<void> {
  await commands.executeCommand("type", { text });
}

export function cursorTo(editor: TextEditor, line: number, character: number): void {
  const position = new Position(line, character);
  editor.selection = new Selection(position, position);
}

/**
 * Run a command that changes the document, and wait until it has. A completion is told as shown a moment before it is
 * drawn, and accepting what is not drawn yet does nothing: then it is run again. What a command changes is told before
 * its end is, so none is run twice.
 */
export async function changing(editor: TextEditor, command: string): Promise<void> {
  const { version } = editor.document;
  const hasChanged = () => editor.document.version > version;
  const latest = performance.now() + PATIENCE_MS;
  while (!hasChanged() && performance.now() < latest) {
    await commands.executeCommand(command);
    await until(workspace.onDidChangeTextDocument, "", hasChanged, TRY_MS).catch(() => undefined);
  }
  assert(hasChanged(), `${command} changed nothing in ${JSON.stringify(editor.document.getText())}`);
}

export function assertText(editor: TextEditor, expected: string, what: string): void {
  assert.equal(editor.document.getText(), expected, what);
}
