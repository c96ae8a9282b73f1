--- Where a command is meant: a buffer, and lines or the cursor in it.
local M = {}

---@class heron.Target
---@field buf integer
---@field window integer
---@field lines? [integer, integer] selected lines from 0, the end past the last
---@field row integer the cursor's line from 0

--- The current window, with the lines a command was given.
---@param lines? [integer, integer]
---@return heron.Target
function M.here(lines)
  local window = vim.api.nvim_get_current_win()
  local row = vim.api.nvim_win_get_cursor(window)[1] - 1
  return { buf = vim.api.nvim_win_get_buf(window), window = window, lines = lines, row = row }
end

--- The target as LSP's range: whole lines, or nothing at the cursor.
---@param target heron.Target
---@param encoding string
---@return lsp.Range
function M.range(target, encoding)
  if target.lines then
    local last = math.min(target.lines[2], vim.api.nvim_buf_line_count(target.buf)) - 1
    local text = vim.api.nvim_buf_get_lines(target.buf, last, last + 1, false)[1] or ""
    return {
      start = { line = target.lines[1], character = 0 },
      ["end"] = { line = last, character = vim.str_utfindex(text, encoding) },
    }
  end
  local position = vim.lsp.util.make_position_params(target.window, encoding).position
  return { start = position, ["end"] = position }
end

return M
