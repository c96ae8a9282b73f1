--- Checks a table against a description of its fields, and says in one sentence what is wrong.
local M = {}

---@class heron.Rule
---@field kind "boolean"|"integer"|"number"|"string"|"texts"|"choice"|"key"|"table"
---@field allowed? string[] of a choice
---@field minimum? number
---@field maximum? number
---@field fields? table<string, heron.Rule> of a table
---@field filled? boolean whether texts must not be empty

local NAMES = {
  boolean = "true or false",
  integer = "a whole number",
  number = "a number",
  string = "a text",
  texts = "a list of texts",
  key = "a key such as '<Tab>', or false",
  table = "a table",
}

---@param value any
---@return boolean
local function is_texts(value)
  if type(value) ~= "table" or not vim.islist(value) then
    return false
  end
  return vim.iter(value):all(function(item)
    return type(item) == "string"
  end)
end

local FITS = {
  integer = function(value)
    return type(value) == "number" and value % 1 == 0
  end,
  texts = is_texts,
  key = function(value)
    return value == false or (type(value) == "string" and value ~= "")
  end,
}

---@param message string
local function fail(message)
  error("Heron: " .. message, 0)
end

---@param path string
---@param value number
---@param rule heron.Rule
local function check_range(path, value, rule)
  if rule.minimum and value < rule.minimum or rule.maximum and value > rule.maximum then
    fail(("option %s: %s is outside %s to %s."):format(path, value, rule.minimum, rule.maximum))
  end
end

---@param path string
---@param value any
---@param rule heron.Rule
local function check_value(path, value, rule)
  if rule.kind == "table" then
    return M.fields(path, value, rule.fields)
  end
  if rule.kind == "choice" then
    if not vim.tbl_contains(rule.allowed, value) then
      fail(("option %s: %s is not one of %s."):format(path, vim.inspect(value), table.concat(rule.allowed, ", ")))
    end
    return
  end
  local fits = FITS[rule.kind]
  if fits and not fits(value) or not fits and type(value) ~= rule.kind then
    fail(("option %s: %s is not %s."):format(path, vim.inspect(value), NAMES[rule.kind]))
  end
  if rule.filled and #value == 0 then
    fail(("option %s is empty."):format(path))
  end
  if type(value) == "number" then
    check_range(path, value, rule)
  end
end

--- Check a table. `path` names it in messages; the empty path is the whole.
---@param path string
---@param values any
---@param fields table<string, heron.Rule>
function M.fields(path, values, fields)
  if type(values) ~= "table" then
    fail(("%s: %s is not a table."):format(path == "" and "setup" or "option " .. path, vim.inspect(values)))
  end
  for key, value in pairs(values) do
    local name = path == "" and tostring(key) or path .. "." .. tostring(key)
    if not fields[key] then
      local known = vim.tbl_keys(fields)
      table.sort(known)
      fail(("unknown option %s. Allowed: %s."):format(name, table.concat(known, ", ")))
    end
    check_value(name, value, fields[key])
  end
end

return M
