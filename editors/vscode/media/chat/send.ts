/** Telling the extension something. */
import type { FromView } from "../../src/chat/messages";

export type Send = (message: FromView) => void;
