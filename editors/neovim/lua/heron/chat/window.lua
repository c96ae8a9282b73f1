--- The chat's buffer and window: Markdown that grows at its end.
local M = {}

local NAME = "heron://chat"
local SPLITS = { right = "botright vertical", left = "topleft vertical", below = "botright", above = "topleft" }

---@return integer? the buffer, if there is one
function M.buffer()
  local buf = vim.fn.bufnr("^" .. NAME .. "$")
  return buf ~= -1 and buf or nil
end

---@param keys table<string, [fun(), string]> what a key of normal mode does, and a description
---@return integer
local function create(keys)
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buf, NAME)
  vim.bo[buf].filetype = "markdown"
  vim.bo[buf].modifiable = false
  for lhs, key in pairs(keys) do
    vim.keymap.set("n", lhs, key[1], { buffer = buf, nowait = true, desc = "Heron: " .. key[2] })
  end
  return buf
end

--- Show the chat and go to its end. It becomes the current window.
---@param keys table<string, [fun(), string]>
function M.open(keys)
  local buf = M.buffer() or create(keys)
  local window = vim.fn.bufwinid(buf)
  if window ~= -1 then
    vim.api.nvim_set_current_win(window)
  else
    local options = require("heron.config").get().chat
    local is_upright = options.position == "right" or options.position == "left"
    local size = math.floor((is_upright and vim.o.columns or vim.o.lines) * options.size)
    vim.cmd(("%s %dsplit"):format(SPLITS[options.position], math.max(1, size)))
    vim.api.nvim_win_set_buf(0, buf)
    local here = vim.wo[0][0] -- for this window and buffer alone; vim.wo would change those that come after, too
    here.wrap, here.linebreak, here.number, here.relativenumber = true, true, false, false
    here.winbar = " ⏎ ask  a apply  y yank  s stop  R new  q close%<"
  end
  vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(buf), 0 })
end

--- Put text at the end. A window whose cursor is on the last line goes on with it.
---@param text string
function M.append(text)
  local buf = M.buffer()
  if not buf or text == "" then
    return
  end
  local count = vim.api.nvim_buf_line_count(buf)
  local last = vim.api.nvim_buf_get_lines(buf, -2, -1, false)[1]
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_text(buf, count - 1, #last, count - 1, #last, vim.split(text, "\n", { plain = true }))
  vim.bo[buf].modifiable = false
  for _, window in ipairs(vim.fn.win_findbuf(buf)) do
    if vim.api.nvim_win_get_cursor(window)[1] == count then
      vim.api.nvim_win_set_cursor(window, { vim.api.nvim_buf_line_count(buf), 0 })
    end
  end
end

--- Begin a paragraph: text after an empty line.
---@param text string
function M.paragraph(text)
  local buf = M.buffer()
  local lines = buf and vim.api.nvim_buf_get_lines(buf, -3, -1, false) or {}
  local last, before = lines[#lines] or "", lines[#lines - 1] or ""
  local gap = last ~= "" and "\n\n" or before ~= "" and "\n" or ""
  M.append(gap .. text)
end

function M.clear()
  local buf = M.buffer()
  if buf then
    vim.bo[buf].modifiable = true
    vim.api.nvim_buf_set_lines(buf, 0, -1, false, {})
    vim.bo[buf].modifiable = false
  end
end

return M
