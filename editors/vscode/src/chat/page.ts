/** The page of the chat: empty elements that its script fills, and a policy under which nothing else runs or loads. */

export interface PageParts {
  readonly nonce: string;
  /** Where the webview may load styles from. */
  readonly source: string;
  readonly script: string;
  readonly style: string;
}

export function writePage({ nonce, source, script, style }: PageParts): string {
  const policy = `default-src 'none'; style-src ${source}; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Heron chat</title>
<link rel="stylesheet" href="${style}">
</head>
<body>
<main>
<h1 class="hidden">Heron chat</h1>
<p id="banner" role="status" hidden></p>
<div id="transcript" role="log" aria-live="off" aria-label="Conversation" tabindex="0">
<div id="welcome">
<h2>Ask about your code</h2>
<p>The model runs on this machine, and what you ask stays here. <kbd>/</kbd> lists commands, <kbd>#</kbd> attaches files,
symbols, the selection and problems.</p>
<div id="starters" role="group" aria-label="Begin with"></div>
</div>
</div>
<div id="consents"></div>
<form id="composer">
<ul id="choices" role="listbox" aria-label="Suggestions" hidden></ul>
<div id="chips" role="group" aria-label="Goes with the question"></div>
<textarea id="question" rows="1" aria-label="Question" aria-autocomplete="list" aria-controls="choices"
placeholder="Ask Heron" spellcheck="false"></textarea>
<div id="bar">
<button id="attach" type="button" title="Attach a file, a symbol, the selection or problems" aria-label="Attach"># Attach</button>
<button id="model" type="button">Model</button>
<button id="stop" type="button" hidden title="Stop the answer (Escape)">Stop</button>
<button id="send" type="submit" class="primary" title="Ask (Enter)">Ask</button>
</div>
</form>
</main>
<div id="announcer" class="hidden" role="status" aria-live="polite"></div>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>
`;
}
