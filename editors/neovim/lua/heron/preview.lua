--- Shows a change as a diff in a tab of its own: the file on the left, what it would become on the right.
local M = {}

local HINT = " a accepts  q rejects: %s%%<"

---@class heron.Proposal
---@field buf integer the buffer it changes
---@field lines string[] all its lines after the change
---@field label string
---@field apply fun() called when the user accepts, with the buffer as it was

---@param tab integer
---@param scratch integer
local function close(tab, scratch)
  if vim.api.nvim_tabpage_is_valid(tab) then
    for _, window in ipairs(vim.api.nvim_tabpage_list_wins(tab)) do
      vim.api.nvim_win_call(window, vim.cmd.diffoff)
    end
    vim.cmd.tabclose(vim.api.nvim_tabpage_get_number(tab))
  end
  if vim.api.nvim_buf_is_valid(scratch) then
    vim.api.nvim_buf_delete(scratch, { force = true })
  end
end

---@param proposal heron.Proposal
---@return integer
local function open_scratch(proposal)
  local scratch = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(scratch, 0, -1, false, proposal.lines)
  vim.bo[scratch].modifiable = false
  vim.bo[scratch].syntax = vim.bo[proposal.buf].filetype -- a file type would start servers for it
  return scratch
end

--- Open the diff. `a` applies and `q` rejects; both close it.
---@param proposal heron.Proposal
function M.open(proposal)
  local tick = vim.api.nvim_buf_get_changedtick(proposal.buf)
  local scratch = open_scratch(proposal)
  vim.cmd.tabnew()
  local empty = vim.api.nvim_get_current_buf()
  vim.api.nvim_win_set_buf(0, proposal.buf)
  vim.api.nvim_buf_delete(empty, { force = true })
  vim.cmd.diffthis()
  vim.cmd("rightbelow vertical sbuffer " .. scratch)
  vim.cmd.diffthis()
  vim.wo[0][0].winbar = HINT:format((proposal.label:gsub("%%", "%%%%")))
  local tab = vim.api.nvim_get_current_tabpage()
  vim.keymap.set("n", "q", function()
    close(tab, scratch)
  end, { buffer = scratch, nowait = true, desc = "Heron: reject the change" })
  vim.keymap.set("n", "a", function()
    close(tab, scratch)
    if vim.api.nvim_buf_get_changedtick(proposal.buf) ~= tick then
      return require("heron.server").tell("the file was changed meanwhile; nothing was applied.")
    end
    proposal.apply()
  end, { buffer = scratch, nowait = true, desc = "Heron: accept the change" })
end

return M
