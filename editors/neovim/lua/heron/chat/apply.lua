--- Code of an answer: its blocks, and the edits a model offered, put into files after a look at the diff.
local blocks = require("heron.chat.blocks")
local server = require("heron.server")

local M = {}

---@return heron.Block?
local function block_here()
  local lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  local block = blocks.at(lines, vim.api.nvim_win_get_cursor(0)[1])
  if not block then
    server.tell("there is no code block here.")
  end
  return block
end

--- Show what the code block at the cursor makes of the lines that were asked about, or of the cursor's place.
---@param target? heron.Target
function M.block(target)
  local block = block_here()
  if not block then
    return
  end
  if not target or not vim.api.nvim_buf_is_valid(target.buf) then
    return server.tell("the file that was asked about is not open any more.")
  end
  local lines = target.lines or { target.row + 1, target.row + 1 }
  local after = vim.api.nvim_buf_get_lines(target.buf, 0, -1, false)
  local kept = vim.list_slice(after, lines[2] + 1)
  after = vim.list_extend(vim.list_slice(after, 1, lines[1]), block.lines)
  vim.list_extend(after, kept)
  require("heron.preview").open({
    buf = target.buf,
    lines = after,
    label = target.lines and "replace the lines you selected" or "insert below the cursor",
    apply = function()
      vim.api.nvim_buf_set_lines(target.buf, lines[1], lines[2], false, block.lines)
      target.lines = { lines[1], lines[1] + #block.lines } -- the next block is for what this one put there
    end,
  })
end

--- Yank the code block at the cursor.
function M.yank()
  local block = block_here()
  if block then
    vim.fn.setreg(vim.v.register, block.lines, "l")
    server.tell(("yanked %d lines."):format(#block.lines), vim.log.levels.INFO)
  end
end

--- Show edits that a model offered. They are all in open buffers, or are put there.
---@param client vim.lsp.Client
---@param edits {textDocument: {uri: string}, range: lsp.Range, newText: string}[]
function M.offer(client, edits)
  local changes = {}
  for _, edit in ipairs(edits) do
    local uri = edit.textDocument.uri
    changes[uri] = changes[uri] or {}
    table.insert(changes[uri], { range = edit.range, newText = edit.newText })
  end
  for uri, list in pairs(changes) do
    local buf = vim.uri_to_bufnr(uri)
    vim.fn.bufload(buf)
    require("heron.edit").propose(client, buf, { changes = { [uri] = list } }, "edits of the answer")
  end
end

return M
