/** What can happen to a chat. */
import type { Attachment, Consent, Front, ModelState } from "./state";
import type { Created, TurnEnd, TurnReport } from "./wire";

export type ChatEvent =
  | { readonly kind: "opened"; readonly conversation: Created }
  | { readonly kind: "cleared" }
  | { readonly kind: "renamed"; readonly title: string }
  /** `front` is there for a question about another place than the user's, or of one who left theirs out. */
  | { readonly kind: "asked"; readonly turnId: string; readonly question: string; readonly front?: Front }
  | { readonly kind: "reported"; readonly turnId: string; readonly report: TurnReport }
  | { readonly kind: "ended"; readonly turnId: string; readonly end: TurnEnd }
  | { readonly kind: "attached"; readonly attachment: Attachment }
  | { readonly kind: "detached"; readonly index: number }
  | { readonly kind: "frontChanged"; readonly front: Front | undefined }
  | { readonly kind: "frontToggled" }
  | { readonly kind: "consentAsked"; readonly consent: Consent }
  | { readonly kind: "consentAnswered"; readonly id: string }
  | { readonly kind: "modelChanged"; readonly model: ModelState }
  | { readonly kind: "faulted"; readonly message: string | undefined };
