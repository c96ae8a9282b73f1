--- Inline completions: which of the two ways of drawing them is used, and the keys, which are the same for both.
local M = {}

--- Whether Neovim's own client draws; else ours does.
---@return boolean
function M.is_builtin()
  return require("heron.config").get().ghost == "builtin"
end

local function ghost()
  return require(M.is_builtin() and "heron.ghost.builtin" or "heron.ghost.own")
end

--- Whether a completion is shown at the cursor.
---@return boolean
function M.is_shown()
  return ghost().is_shown()
end

--- Accept what is shown, its next word or its line; false if nothing is.
---@param amount? "all"|"word"|"line"
---@return boolean
function M.accept(amount)
  return ghost().accept(amount or "all")
end

--- Show the next completion, or the previous one.
---@param step 1|-1
---@return boolean
function M.select(step)
  return ghost().select(step)
end

--- Hide what is shown.
---@return boolean
function M.dismiss()
  return ghost().dismiss()
end

--- What a key does; false: nothing, and the key does what it did before.
local ACTIONS = {
  accept = function()
    local popup = vim.fn.pumvisible() == 1 and vim.fn.complete_info({ "selected" }).selected ~= -1
    return not popup and M.accept("all")
  end,
  accept_word = function()
    return M.accept("word")
  end,
  accept_line = function()
    return M.accept("line")
  end,
  next = function()
    return M.select(1)
  end,
  previous = function()
    return M.select(-1)
  end,
  dismiss = function()
    return M.dismiss()
  end,
}

---@param buf integer
local function map_keys(buf)
  for name, lhs in pairs(require("heron.config").get().keys) do
    if lhs then
      require("heron.keys").map(buf, lhs, ACTIONS[name], "Heron: " .. name:gsub("_", " "))
    end
  end
end

---@param buf integer
local function unmap_keys(buf)
  for _, lhs in pairs(require("heron.config").get().keys) do
    if lhs then
      require("heron.keys").unmap(buf, lhs)
    end
  end
end

--- Offer completions in a buffer the server is attached to.
---@param buf integer
function M.attach(buf)
  ghost().attach(buf)
  if not vim.b[buf].heron_keys then
    vim.b[buf].heron_keys = true
    map_keys(buf)
  end
end

---@param buf integer
function M.detach(buf)
  ghost().detach(buf)
  if vim.b[buf].heron_keys then
    vim.b[buf].heron_keys = nil
    unmap_keys(buf)
  end
end

return M
