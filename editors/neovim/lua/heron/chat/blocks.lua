--- Code blocks of Markdown.
local M = {}

---@class heron.Block
---@field first integer line of its opening fence, from 1
---@field last integer line of its closing fence; the last line where it is not closed
---@field lines string[]

--- The fenced blocks of some lines, in order. CommonMark 0.31, "Fenced code blocks", backticks only.
---@param lines string[]
---@return heron.Block[]
function M.all(lines)
  local blocks, open, fence = {}, nil, nil
  for number, line in ipairs(lines) do
    local mark = line:match("^%s*(```+)")
    if open and mark and #mark >= #fence and line:match("^%s*`+%s*$") then
      open.last = number
      blocks[#blocks + 1], open = open, nil
    elseif open then
      open.lines[#open.lines + 1] = line
    elseif mark then
      open, fence = { first = number, last = #lines, lines = {} }, mark
    end
  end
  if open then
    blocks[#blocks + 1] = open
  end
  return blocks
end

--- The block a line is in, else the next one before it.
---@param lines string[]
---@param number integer from 1
---@return heron.Block?
function M.at(lines, number)
  local found
  for _, block in ipairs(M.all(lines)) do
    if block.first <= number then
      found = block
    end
  end
  return found
end

return M
