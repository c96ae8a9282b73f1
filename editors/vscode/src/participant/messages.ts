/** Messages of VS Code's chat as the server takes them. */
import {
  LanguageModelChatMessageRole,
  type LanguageModelChatRequestMessage,
  LanguageModelTextPart,
  LanguageModelToolCallPart,
  LanguageModelToolResultPart,
} from "vscode";

export interface Message {
  readonly role: "user" | "assistant" | "tool" | "system";
  readonly content: string;
  readonly toolCalls?: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly toolCallId?: string;
}

/** Characters a token has on average, in code; the server counts for itself. */
const CHARACTERS_A_TOKEN = 3.5;

/** Results of tools come in messages of the user's there, and are messages of their own here. */
export function writeMessages(messages: readonly LanguageModelChatRequestMessage[]): readonly Message[] {
  return messages.flatMap((message) => {
    const results = message.content.filter((part) => part instanceof LanguageModelToolResultPart);
    const told = results.map(
      ({ callId, content }): Message => ({ role: "tool", content: textOf(content), toolCallId: callId }),
    );
    const spoken = writeSpoken(message);
    return spoken === undefined ? told : [...told, spoken];
  });
}

function writeSpoken({ role, content }: LanguageModelChatRequestMessage): Message | undefined {
  const text = textOf(content);
  const calls = content.filter((part) => part instanceof LanguageModelToolCallPart);
  if (text === "" && calls.length === 0) return undefined;
  const toolCalls = calls.map(({ callId, name, input }) => ({ id: callId, name, arguments: JSON.stringify(input) }));
  return { role: roleOf(role), content: text, ...(toolCalls.length > 0 ? { toolCalls } : {}) };
}

/** VS Code's own chat sends its instructions with a third role, which the API does not name. */
function roleOf(role: LanguageModelChatMessageRole): Message["role"] {
  if (role === LanguageModelChatMessageRole.Assistant) return "assistant";
  return role === LanguageModelChatMessageRole.User ? "user" : "system";
}

/** The text of what a message holds; images and the like are left out. */
export function textOf(parts: readonly unknown[]): string {
  return parts.map((part) => (part instanceof LanguageModelTextPart ? part.value : "")).join("");
}

export function countTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_A_TOKEN);
}
