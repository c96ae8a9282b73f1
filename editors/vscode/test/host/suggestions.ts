/** Completions beside the list of suggestions, and in that list. */
import { strict as assert } from "node:assert";
import {
  CompletionItem,
  type CompletionList,
  ConfigurationTarget,
  commands,
  languages,
  type TextEditor,
  workspace,
} from "vscode";
import { assertText, changing, Ear, openText, type } from "./editing";
import { parts, type Suite, untilReady } from "./harness";

const SHOWN = "textDocument/didShowCompletion";
const LIST_MS = 5000;

export function testSuggestions(suite: Suite): void {
  suite.test("with a suggestion selected in the list, what would follow it is offered", async () => {
    await untilReady();
    const provider = { provideCompletionItems: () => [new CompletionItem("price7")] };
    const registration = languages.registerCompletionItemProvider({ language: "plaintext" }, provider);
    using ear = await new Ear().listen();
    try {
      const editor = await openText("selected.txt", "sum = p");
      await commands.executeCommand("editor.action.triggerSuggest");
      await ear.until(SHOWN, 1);
      assert.equal(ear.of(SHOWN)[0]?.params.item?.insertText, "price7 * count");
      await changing(editor, "acceptSelectedSuggestion");
      assertText(editor, "sum = price7", "the suggestion");
      await changing(editor, "editor.action.inlineSuggest.commit");
      assertText(editor, "sum = price7 * count", "what follows it");
    } finally {
      registration.dispose();
    }
  });

  suite.test("the list and the text in grey offer the same at once, where the user wants both", async () => {
    await usePopup("on");
    using ear = await new Ear().listen();
    try {
      const editor = await openText("both.txt", "total =");
      await type(" ");
      await ear.until(SHOWN, 1);
      assert.equal(await offeredInList(editor), "price * count");
      await changing(editor, "editor.action.inlineSuggest.commit");
      assertText(editor, "total = price * count", "both");
    } finally {
      await usePopup(undefined);
    }
  });
}

/** The settings are read when a server starts. The list is to wait for the server on a busy machine too. */
async function usePopup(choice: string | undefined): Promise<void> {
  const completion = workspace.getConfiguration("heron.completion");
  await completion.update("popup", choice, ConfigurationTarget.Workspace);
  await completion.update("popupMs", choice === undefined ? undefined : LIST_MS, ConfigurationTarget.Workspace);
  await (await parts()).server.restart();
  await untilReady();
}

async function offeredInList({ document, selection }: TextEditor): Promise<string | undefined> {
  const command = "vscode.executeCompletionItemProvider";
  const list = await commands.executeCommand<CompletionList>(command, document.uri, selection.active);
  const ours = list.items.find(({ detail }) => detail === "Heron");
  return typeof ours?.insertText === "string" ? ours.insertText : ours?.insertText?.value;
}
