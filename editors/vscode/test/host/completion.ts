import { strict as assert } from "node:assert";
import { ConfigurationTarget, commands, workspace } from "vscode";
import { answered, assertText, changing, Ear, lastAnswered, openText, type } from "./editing";
import { parts, type Suite, untilReady } from "./harness";

const SHOWN = "textDocument/didShowCompletion";
const DISMISSED = "heron/didDismissCompletion";
const ACCEPTED = "textDocument/didPartiallyAcceptCompletion";

export function testCompletion(suite: Suite): void {
  suite.test("a completion is shown, accepted word by word and then whole, and the server is told", async () => {
    await untilReady();
    using ear = await new Ear().listen();
    const editor = await openText("words.txt", "total =");
    await type(" ");
    await ear.until(SHOWN, 1);
    await changing(editor, "editor.action.inlineSuggest.acceptNextWord");
    assertText(editor, "total = price", "the first word");
    await ear.until(ACCEPTED, 1);
    await changing(editor, "editor.action.inlineSuggest.commit");
    assertText(editor, "total = price * count", "all of it");
    await ear.until(ACCEPTED, 2);
    const lengths = ear.of(ACCEPTED).map(({ params }) => [params.item?.insertText, params.acceptedLength]);
    assert.deepEqual(lengths[0], ["price * count", 5]);
    assert.equal(lengths[1]?.[0]?.toString().length, lengths[1]?.[1]);
  });

  suite.test("a completion of several lines is accepted line by line", async () => {
    using ear = await new Ear().listen();
    const editor = await openText("lines.txt", "lines:\n   ");
    await type(" ");
    await ear.until(SHOWN, 1);
    await changing(editor, "editor.action.inlineSuggest.acceptNextLine");
    assert.match(editor.document.getText(), /^lines:\n {4}x = 1\n?$/);
    await changing(editor, "editor.action.inlineSuggest.commit");
    assertText(editor, "lines:\n    x = 1\n    return x", "both lines");
  });

  suite.test("what is typed of a completion is not told as shown again", async () => {
    using ear = await new Ear().listen();
    const editor = await openText("typed.txt", "total =");
    await type(" ");
    await ear.until(SHOWN, 1);
    for (const letter of "pri") await type(letter);
    await changing(editor, "editor.action.inlineSuggest.commit");
    assertText(editor, "total = price * count", "typed and accepted");
    assert.equal(ear.of(SHOWN).length, 1);
  });

  suite.test("a completion that was sent away is not offered again", async () => {
    using ear = await new Ear().listen();
    const editor = await openText("away.txt", "total =");
    await type(" ");
    await ear.until(SHOWN, 1);
    await commands.executeCommand("heron.completion.dismiss");
    await ear.until(DISMISSED, 1);
    await commands.executeCommand("deleteLeft");
    await type(" ");
    await answered(editor.document);
    await commands.executeCommand("editor.action.inlineSuggest.commit");
    assertText(editor, "total = ", "nothing was there to accept");
    assert.equal(ear.of(SHOWN).length, 1);
    await commands.executeCommand("heron.completion.dismiss");
    assert.equal(ear.of(DISMISSED).length, 1, "nothing was there to send away");
  });

  suite.test("in a language that is switched off nothing is asked for", async () => {
    const languages = workspace.getConfiguration("heron.editor");
    await languages.update("languages", { "*": true, plaintext: false }, ConfigurationTarget.Workspace);
    try {
      const before = await lastAnswered();
      const editor = await openText("off.txt", "total =");
      await type(" ");
      await commands.executeCommand("editor.action.inlineSuggest.trigger");
      await commands.executeCommand("editor.action.inlineSuggest.commit");
      assertText(editor, "total = ", "off");
      assert.deepEqual(await lastAnswered(), before, "nothing was asked");
    } finally {
      await languages.update("languages", undefined, ConfigurationTarget.Workspace);
    }
  });

  suite.test("paused, the server offers nothing; resumed, it does", async () => {
    const { pause } = await parts();
    using ear = await new Ear().listen();
    await commands.executeCommand("heron.pause");
    assert(pause.isOn);
    const editor = await openText("paused.txt", "total =");
    await type(" ");
    await commands.executeCommand("editor.action.inlineSuggest.trigger");
    await commands.executeCommand("editor.action.inlineSuggest.commit");
    assertText(editor, "total = ", "paused");
    await commands.executeCommand("heron.pause");
    assert(!pause.isOn);
    await type("p");
    await ear.until(SHOWN, 1);
    await changing(editor, "editor.action.inlineSuggest.commit");
    assertText(editor, "total = price * count", "resumed");
  });
}
