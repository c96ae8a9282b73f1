--- Tells the server what became of a completion. It counts in memory; nothing leaves the machine.
local M = {}

---@param client vim.lsp.Client
---@param item lsp.InlineCompletionItem
function M.shown(client, item)
  client:notify("textDocument/didShowCompletion", { item = item })
end

--- The user sent away what is shown in a buffer.
---@param client vim.lsp.Client
---@param buf integer
function M.dismissed(client, buf)
  client:notify("heron/didDismissCompletion", { textDocument = { uri = vim.uri_from_bufnr(buf) } })
end

---@param client vim.lsp.Client
---@param offer heron.Offer
---@param rest string what is not accepted yet
function M.partly_accepted(client, offer, rest)
  local length = require("heron.offer").accepted_length(offer, rest)
  client:notify("textDocument/didPartiallyAcceptCompletion", { item = offer.item, acceptedLength = length })
end

--- Run the item's command, which is how a server learns that all of it was accepted.
---@param client vim.lsp.Client
---@param offer heron.Offer
function M.accepted(client, offer)
  if offer.item.command then
    client:exec_cmd(offer.item.command, { bufnr = offer.place.buf })
  end
end

return M
