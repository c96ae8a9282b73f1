--- Draws ghost text: its first line in the line of the cursor, the others below.
local M = {}

local namespace = vim.api.nvim_create_namespace("heron.ghost")

--- Tabs as spaces, from a display column on: virtual text does not expand them.
---@param line string
---@param column integer
---@param tabstop integer
---@return string
local function expand_tabs(line, column, tabstop)
  local parts = vim.split(line, "\t", { plain = true })
  local out = parts[1]
  for index = 2, #parts do
    local at = column + vim.api.nvim_strwidth(out)
    out = out .. (" "):rep(tabstop - at % tabstop) .. parts[index]
  end
  return out
end

--- A line cut into pieces no wider than a window, as 'wrap' would.
---@param line string
---@param width integer
---@return string[]
local function wrap(line, width)
  local pieces, from = {}, 0
  local length = vim.fn.strchars(line)
  while length - from > 0 do
    local count = math.min(width, length - from)
    while count > 1 and vim.api.nvim_strwidth(vim.fn.strcharpart(line, from, count)) > width do
      count = count - 1
    end
    pieces[#pieces + 1] = vim.fn.strcharpart(line, from, count)
    from = from + count
  end
  return #pieces > 0 and pieces or { "" }
end

---@param lines string[] the lines after the first
---@param tabstop integer
---@return [string, string][][]
local function virtual_lines(lines, tabstop)
  local window = vim.fn.getwininfo(vim.api.nvim_get_current_win())[1]
  local width = math.max(1, window.width - window.textoff)
  local drawn = {}
  for _, line in ipairs(lines) do
    local text = expand_tabs(line, 0, tabstop)
    for _, piece in ipairs(vim.wo.wrap and wrap(text, width) or { text }) do
      drawn[#drawn + 1] = { { piece, "HeronGhost" } }
    end
  end
  return drawn
end

--- Show a text at the cursor of the current window.
---@param text string
function M.show(text)
  local buf = vim.api.nvim_get_current_buf()
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  local lines = vim.split(text, "\n", { plain = true })
  local tabstop = vim.bo[buf].tabstop
  local first = expand_tabs(table.remove(lines, 1), vim.fn.virtcol(".") - 1, tabstop)
  M.hide(buf)
  vim.api.nvim_buf_set_extmark(buf, namespace, row - 1, col, {
    virt_text = { { first, "HeronGhost" } },
    virt_text_pos = "inline",
    virt_lines = #lines > 0 and virtual_lines(lines, tabstop) or nil,
    hl_mode = "combine",
  })
end

---@param buf integer
function M.hide(buf)
  if vim.api.nvim_buf_is_valid(buf) then
    vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  end
end

return M
