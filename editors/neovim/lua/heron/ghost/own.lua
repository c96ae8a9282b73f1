--- Ghost text of our own. It asks as soon as `debounce_ms` says, and works in Neovim 0.11. Same functions as `builtin`.
local draw = require("heron.ghost.draw")
local events = require("heron.ghost.events")
local offers = require("heron.offer")

local M = {}

local INVOKED, AUTOMATIC = 1, 2

---@class heron.Shown
---@field items lsp.InlineCompletionItem[]
---@field index integer
---@field place heron.Place
---@field offer heron.Offer

---@class heron.OwnState
---@field client? vim.lsp.Client
---@field shown? heron.Shown
---@field pending? integer id of the request that runs
---@field timer? uv.uv_timer_t
---@field seen? string text tick and cursor that were last looked at
local state = {}

local function stop_asking()
  if state.timer then
    state.timer:stop()
  end
  if state.pending and state.client then
    state.client:cancel_request(state.pending)
  end
  state.pending = nil
end

local function hide()
  if state.shown then
    draw.hide(state.shown.place.buf)
    state.shown = nil
  end
end

--- Show the item of an index; false if it does not fit what is there now.
---@param shown heron.Shown
---@return boolean
local function show(shown)
  local client = state.client
  local offer = client and offers.new(shown.items[shown.index], shown.place, client.offset_encoding)
  local rest = offer and offers.rest(offer)
  if not client or not offer or not rest then
    return false
  end
  shown.offer = offer
  state.shown = shown
  draw.show(rest)
  events.shown(client, offer.item)
  return true
end

---@param kind 1|2
local function ask(kind)
  local place = offers.here()
  local client = vim.lsp.get_clients({ bufnr = place.buf, name = "heron" })[1]
  if not client or vim.api.nvim_get_mode().mode:sub(1, 1) ~= "i" then
    return
  end
  stop_asking()
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = kind }
  state.client = client
  local id
  _, id = client:request("textDocument/inlineCompletion", params, function(failure, result)
    if state.pending ~= id then
      return
    end
    state.pending = nil
    local items = not failure and result and (result.items or result) or {}
    if #items > 0 and vim.api.nvim_get_mode().mode:sub(1, 1) == "i" then
      hide()
      show({ items = items, index = 1, place = place })
    end
  end, place.buf)
  state.pending = id
end

local function ask_soon()
  stop_asking()
  state.timer = state.timer or assert(vim.uv.new_timer())
  state.timer:start(
    require("heron.config").get().debounce_ms,
    0,
    vim.schedule_wrap(function()
      ask(AUTOMATIC)
    end)
  )
end

--- Follow the user: what is typed through stays, anything else is asked for anew.
local function follow()
  local cursor = vim.api.nvim_win_get_cursor(0)
  local seen = ("%d %d %d %d"):format(vim.api.nvim_get_current_buf(), vim.b.changedtick, cursor[1], cursor[2])
  if seen == state.seen then
    return
  end
  state.seen = seen
  local rest = state.shown and offers.rest(state.shown.offer)
  if rest then
    draw.show(rest)
    return
  end
  hide()
  ask_soon()
end

local function leave()
  stop_asking()
  hide()
  state.seen = nil
end

---@param buf integer
---@return integer
local function group(buf)
  return vim.api.nvim_create_augroup("heron.ghost." .. buf, { clear = true })
end

---@param buf integer
function M.attach(buf)
  local augroup = group(buf)
  vim.api.nvim_create_autocmd({ "InsertEnter", "TextChangedI", "TextChangedP", "CursorMovedI" }, {
    group = augroup,
    buffer = buf,
    callback = follow,
  })
  vim.api.nvim_create_autocmd({ "InsertLeave", "BufLeave", "BufUnload" }, {
    group = augroup,
    buffer = buf,
    callback = leave,
  })
end

---@param buf integer
function M.detach(buf)
  group(buf)
  if state.shown and state.shown.place.buf == buf then
    leave()
  end
end

---@return boolean
function M.is_shown()
  return state.shown ~= nil and offers.rest(state.shown.offer) ~= nil
end

---@param amount "all"|"word"|"line"
---@return boolean whether there was something to accept
function M.accept(amount)
  local shown, client = state.shown, state.client
  local rest = shown and offers.rest(shown.offer)
  if not shown or not client or not rest then
    return false
  end
  local piece = offers.piece(rest, amount)
  local remaining = offers.insert(shown.offer, piece)
  if remaining then
    shown.offer, shown.place = remaining, remaining.place
    shown.items, shown.index = { remaining.item }, 1
    draw.show(remaining.left)
    events.partly_accepted(client, remaining, remaining.left)
  else
    hide()
    events.accepted(client, shown.offer)
  end
  return true
end

---@param step integer
---@return boolean
function M.select(step)
  local shown = state.shown
  if not shown or #shown.items == 1 then
    ask(INVOKED)
    return true
  end
  hide()
  shown.index = (shown.index - 1 + step) % #shown.items + 1
  return show(shown)
end

---@return boolean
function M.dismiss()
  local was_shown = M.is_shown()
  if was_shown and state.client then
    events.dismissed(state.client, state.shown.place.buf)
  end
  stop_asking()
  hide()
  return was_shown
end

return M
