--- Ghost text by Neovim's own client (0.12), which waits 200 ms for the next key. It shows what does not fit any more until an answer comes, keeps it where
--- the answer is null, inserts it beside what was typed, and has no partial accept: what is below mends that. It cancels
--- no old request either; our server does.
local events = require("heron.ghost.events")
local offers = require("heron.offer")

local M = {}

local METHOD = "textDocument/inlineCompletion"
local namespace = vim.api.nvim_create_namespace("nvim.lsp.inline_completion")

---@class heron.BuiltinState
---@field client? vim.lsp.Client
---@field place? heron.Place where the items that are shown were asked for
---@field items lsp.InlineCompletionItem[]
---@field origin? lsp.InlineCompletionItem the server's, of which what is shown is the rest
---@field handler? fun(failure?: lsp.ResponseError, result: any, context: any) Neovim's own
---@field context? any
---@field watched table<integer, true> ids of the clients whose requests are wrapped
local state = { items = {}, watched = {} }

local function forget()
  state.items, state.place, state.origin = {}, nil, nil
end

---@param item? lsp.InlineCompletionItem
---@return heron.Offer?
local function offer_of(item)
  local known = item and state.place and state.client
  local offer = known and offers.new(item, state.place, state.client.offset_encoding)
  return offer and vim.tbl_extend("force", offer, { item = state.origin or item }) or nil
end

--- Show items that are known to fit.
---@param items lsp.InlineCompletionItem[]
---@param place heron.Place
---@param origin? lsp.InlineCompletionItem
local function show(items, place, origin)
  state.items, state.place, state.origin = items, place, origin
  state.handler(nil, { items = items }, state.context)
end

--- Wrap the requests of our client: an answer that does not fit (any more) is handed on as none.
---@param client vim.lsp.Client
local function watch(client)
  local request = client.request
  ---@diagnostic disable-next-line: duplicate-set-field
  client.request = function(self, method, params, handler, buf)
    if method ~= METHOD or not handler then
      return request(self, method, params, handler, buf)
    end
    local place = offers.here()
    return request(self, method, params, function(failure, result, context)
      if failure then
        return handler(failure, result, context)
      end
      state.client, state.handler, state.context = self, handler, context
      local items = result and (result.items or result) or {}
      local first = items[1] and offers.new(items[1], place, self.offset_encoding)
      local fits = first ~= nil and offers.rest(first) ~= nil and vim.api.nvim_get_mode().mode:sub(1, 1) == "i"
      show(fits and items or {}, place)
      if fits then
        events.shown(self, items[1])
      end
    end, buf)
  end
end

--- Take away what was drawn and does not fit what is there now. Neovim takes it back at its next answer.
local function hide_stale()
  local offer = offer_of(state.items[1])
  if not offer or not offers.rest(offer) then
    vim.api.nvim_buf_clear_namespace(0, namespace, 0, -1)
    forget()
  end
end

---@param item vim.lsp.inline_completion.Item
---@return heron.Offer?
local function chosen(item)
  return offer_of(vim.iter(state.items):find(function(candidate)
    return candidate.insertText == item.insert_text
  end))
end

--- An item that stands for what remains of a partly accepted one.
---@param offer heron.Offer
---@return lsp.InlineCompletionItem
local function item_of(offer)
  local encoding = state.client.offset_encoding
  local place = offer.place
  local character = vim.str_utfindex(place.before, encoding)
  local last = vim.str_utfindex(place.before .. place.after:sub(1, offer.tail), encoding)
  local range = {
    start = { line = place.row, character = character },
    ["end"] = { line = place.row, character = last },
  }
  return vim.tbl_extend("force", offer.item, { insertText = offer.left, range = range })
end

--- Insert a piece of an offer, and go on showing what remains.
---@param offer heron.Offer
---@param amount "all"|"word"|"line"
local function take(offer, amount)
  local rest = offers.rest(offer)
  if not rest then
    return forget()
  end
  local remaining = offers.insert(offer, offers.piece(rest, amount))
  forget()
  if not remaining then
    return events.accepted(state.client, offer)
  end
  events.partly_accepted(state.client, remaining, remaining.left)
  show({ item_of(remaining) }, remaining.place, remaining.item)
end

---@param buf integer
---@return integer
local function group(buf)
  return vim.api.nvim_create_augroup("heron.ghost." .. buf, { clear = true })
end

---@param buf integer
function M.attach(buf)
  local client = vim.lsp.get_clients({ bufnr = buf, name = "heron" })[1]
  if not state.watched[client.id] then
    state.watched[client.id] = true
    watch(client)
  end
  vim.lsp.inline_completion.enable(true, { bufnr = buf })
  vim.api.nvim_create_autocmd({ "TextChangedI", "TextChangedP", "CursorMovedI" }, {
    group = group(buf),
    buffer = buf,
    callback = hide_stale,
  })
end

---@param buf integer
function M.detach(buf)
  group(buf)
  vim.lsp.inline_completion.enable(false, { bufnr = buf })
  forget()
end

---@return boolean
function M.is_shown()
  local offer = offer_of(state.items[1])
  return offer ~= nil and offers.rest(offer) ~= nil
end

---@param amount "all"|"word"|"line"
---@return boolean
function M.accept(amount)
  return M.is_shown()
    and vim.lsp.inline_completion.get({
      on_accept = function(item)
        local offer = chosen(item)
        if offer then
          take(offer, amount)
        end
      end,
    })
end

---@param step integer
---@return boolean
function M.select(step)
  local is_shown = M.is_shown()
  vim.lsp.inline_completion.select({ count = step })
  return is_shown
end

---@return boolean
function M.dismiss()
  local was_shown = M.is_shown()
  if was_shown and state.client then
    events.dismissed(state.client, vim.api.nvim_get_current_buf())
  end
  vim.lsp.inline_completion.get({ on_accept = forget })
  return was_shown
end

return M
