/** VS Code's own chat: the participant `@heron`, and the local model among its models. */
import { chat, type ExtensionContext, lm, Uri } from "vscode";
import type { Editing } from "../edit/propose";
import { LocalModel } from "./local-model";
import { answer, followUpsOf, registerReview } from "./participant";

const PARTICIPANT = "heron.chat.participant";
const VENDOR = "heron";

export function registerParticipant(context: ExtensionContext, editing: Editing): void {
  const participant = chat.createChatParticipant(PARTICIPANT, (request, around, stream, token) =>
    answer(editing.server, { request, around, stream, token }),
  );
  participant.iconPath = Uri.joinPath(context.extensionUri, "media", "heron.svg");
  participant.followupProvider = { provideFollowups: followUpsOf };
  const model = new LocalModel(editing.server);
  context.subscriptions.push(
    participant,
    model,
    lm.registerLanguageModelChatProvider(VENDOR, model),
    registerReview(editing),
  );
}
