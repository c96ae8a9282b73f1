--- Keys of insert mode that do what they did before where there is nothing for us to do.
local M = {}

---@param lhs string
---@param mode string of feedkeys()
local function press(lhs, mode)
  vim.api.nvim_feedkeys(vim.keycode(lhs), mode, false)
end

--- What the key would have done: its mapping of before, or the key itself. It goes before what was typed since.
---@param lhs string
---@param before table<string, any> from maparg(), empty without a mapping
local function fall_back(lhs, before)
  if vim.tbl_isempty(before) then
    return press(lhs, "in")
  end
  local mode = before.noremap == 1 and "in" or "im"
  if not before.callback and before.expr ~= 1 then
    return press(before.rhs, mode)
  end
  local keys = before.callback and before.callback() or not before.callback and vim.api.nvim_eval(before.rhs)
  if before.expr == 1 and type(keys) == "string" and keys ~= "" then
    local typed = before.replace_keycodes == 1 and vim.keycode(keys) or keys
    vim.api.nvim_feedkeys(typed, mode, false)
  end
end

---@param buf integer
---@param lhs string
---@param act fun(): boolean whether it did anything
---@param description string
function M.map(buf, lhs, act, description)
  local before = vim.api.nvim_buf_call(buf, function()
    return vim.fn.maparg(lhs, "i", false, true)
  end)
  vim.keymap.set("i", lhs, function()
    if not act() then
      fall_back(lhs, before)
    end
  end, { buffer = buf, desc = description })
end

---@param buf integer
---@param lhs string
function M.unmap(buf, lhs)
  pcall(vim.keymap.del, "i", lhs, { buffer = buf })
end

return M
