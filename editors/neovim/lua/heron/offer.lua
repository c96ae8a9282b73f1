--- One completion on offer: where it stands, whether it still fits what was typed, and inserting it piece by piece.
--- Columns are bytes, counted from 0; lines count from 0.
local M = {}

---@class heron.Place The cursor when completions were asked for.
---@field buf integer
---@field row integer
---@field col integer
---@field before string its line up to the cursor
---@field after string its line from the cursor on
---@field lines integer lines of the buffer

---@class heron.Offer
---@field place heron.Place
---@field start integer column the text of `left` belongs at
---@field left string what is to be inserted at `start`, of which the user may have typed the beginning
---@field tail integer bytes after the cursor that the last piece replaces
---@field item lsp.InlineCompletionItem

---@return heron.Place
function M.here()
  local buf = vim.api.nvim_get_current_buf()
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  local line = vim.api.nvim_get_current_line()
  local lines = vim.api.nvim_buf_line_count(buf)
  return { buf = buf, row = row - 1, col = col, before = line:sub(1, col), after = line:sub(col + 1), lines = lines }
end

--- The offer of an item that was asked for at `place`; nil for one that cannot be shown there.
---@param item lsp.InlineCompletionItem
---@param place heron.Place
---@param encoding string
---@return heron.Offer?
function M.new(item, place, encoding)
  if type(item.insertText) ~= "string" or item.insertText == "" then
    return nil
  end
  local start, tail = place.col, 0
  if item.range then
    local from, to = item.range.start, item.range["end"]
    if from.line ~= place.row or to.line ~= place.row then
      return nil
    end
    local line = place.before .. place.after
    start = vim.str_byteindex(line, encoding, from.character, false)
    tail = vim.str_byteindex(line, encoding, to.character, false) - place.col
  end
  if start > place.col or tail < 0 then
    return nil
  end
  return { place = place, start = start, left = item.insertText, tail = tail, item = item }
end

--- What an offer would still insert at the cursor of the current window; nil if it does not fit (any more).
---@param offer heron.Offer
---@return string?
function M.rest(offer)
  local now, was = M.here(), offer.place
  if now.buf ~= was.buf or now.row ~= was.row or now.lines ~= was.lines or now.after ~= was.after then
    return nil
  end
  if now.col < offer.start or now.before:sub(1, offer.start) ~= was.before:sub(1, offer.start) then
    return nil
  end
  local typed = now.before:sub(offer.start + 1)
  if #typed >= #offer.left or not vim.startswith(offer.left, typed) then
    return nil
  end
  return offer.left:sub(#typed + 1)
end

local PIECES = {
  all = function(text)
    return text
  end,
  -- A word with the white space before it; a byte above 127 is part of a letter.
  word = function(text)
    return text:match("^%s*[%w_\128-\255]+") or text:match("^%s*[^%w_%s\128-\255]+") or text
  end,
  -- To the end of the line; at its end, the next one.
  line = function(text)
    return text:match("^[^\n]+") or text:match("^\n[^\n]*") or text
  end,
}

--- The piece of a text that one key accepts.
---@param text string
---@param amount "all"|"word"|"line"
---@return string
function M.piece(text, amount)
  return PIECES[amount](text)
end

--- Begin a new undo step, so that what is accepted can be undone by itself.
---@param buf integer
local function break_undo(buf)
  vim.api.nvim_buf_call(buf, function()
    vim.cmd("let &l:undolevels = &l:undolevels")
  end)
end

--- Insert a piece of what is left at the cursor, as an undo step of its own. The offer of what then remains, or nil.
---@param offer heron.Offer
---@param piece string
---@return heron.Offer?
function M.insert(offer, piece)
  local rest = assert(M.rest(offer), "the offer does not fit")
  local now = M.here()
  local is_last = #piece == #rest
  local lines = vim.split(piece, "\n", { plain = true })
  local last_col = now.col + (is_last and offer.tail or 0)
  break_undo(now.buf)
  vim.api.nvim_buf_set_text(now.buf, now.row, now.col, now.row, last_col, lines)
  vim.api.nvim_win_set_cursor(0, { now.row + #lines, (#lines == 1 and now.col or 0) + #lines[#lines] })
  break_undo(now.buf)
  if is_last then
    return nil
  end
  local place = M.here()
  return vim.tbl_extend("force", offer, { place = place, start = place.col, left = rest:sub(#piece + 1) })
end

--- What of the item is in the buffer once all but `rest` is there, in UTF-16 units.
---@param offer heron.Offer
---@param rest string
---@return integer
function M.accepted_length(offer, rest)
  local text = offer.item.insertText --[[@as string]]
  return vim.str_utfindex(text:sub(1, #text - #rest), "utf-16")
end

return M
