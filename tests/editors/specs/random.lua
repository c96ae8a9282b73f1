-- Random keys, accepts, undos and cursor moves; the buffer must be what a model of them says. An accept inserts what
-- was drawn or, where nothing is drawn, nothing.
local LETTERS = { "a", "b", "p", "x", " ", "=", "(", "1", "é", "日" }

local function split(line, col)
  return line:sub(1, col), line:sub(col + 1)
end

local function cursor()
  local at = vim.api.nvim_win_get_cursor(0)
  return at[1], at[2]
end

--- The lines after a text is put at the cursor.
local function with(lines, text)
  local row, col = cursor()
  local before, after = split(lines[row], col)
  local made = vim.list_slice(lines, 1, row - 1)
  vim.list_extend(made, vim.split(before .. text .. after, "\n", { plain = true }))
  return vim.list_extend(made, vim.list_slice(lines, row + 1))
end

local function lines_now()
  return vim.api.nvim_buf_get_lines(0, 0, -1, false)
end

local function drawn(t)
  local ghost = t.ghost()
  return ghost and require("heron.completion").is_shown() and ghost or nil
end

--- The last request for completions: the text it was made for, and whether it was answered.
local asked = {}

vim.api.nvim_create_autocmd("LspRequest", {
  callback = function(event)
    local request, id = event.data.request, event.data.request_id
    if request.method ~= "textDocument/inlineCompletion" then
      return
    elseif request.type == "pending" then
      asked = { id = id, tick = vim.b.changedtick }
    elseif request.type == "complete" and id == asked.id then
      asked.answered = true
    end
  end,
})

--- What is drawn for the text as it is, once that is known; nil if nothing is.
local function offered(t)
  t.wait("ghost text, or an answer without", function()
    return drawn(t) or (asked.answered and asked.tick == vim.b.changedtick)
  end)
  t.turn() -- the answer is drawn after it was told
  return drawn(t)
end

local BEGIN = "<Esc>Gototal = "
local PIECES = { ["<Tab>"] = "all", ["<M-Right>"] = "word", ["<M-C-Right>"] = "line" }

--- What each kind of step does, and the lines it should leave; nil where Neovim alone decides.
local STEPS = {
  function(t)
    local letter = LETTERS[math.random(#LETTERS)]
    local expected = with(lines_now(), letter)
    t.press(letter)
    return expected
  end,
  function(t)
    local expected = vim.list_extend(lines_now(), { "total = " })
    t.press(BEGIN)
    return expected
  end,
  function(t)
    local keys = vim.tbl_keys(PIECES)
    table.sort(keys)
    local key = keys[math.random(#keys)]
    if not drawn(t) then
      t.press(BEGIN)
      t.press(({ "", "p", "pr" })[math.random(3)])
    end
    local ghost = offered(t)
    if not ghost then
      return nil
    end
    local before = lines_now()
    local expected = with(before, require("heron.offer").piece(ghost, PIECES[key]))
    t.press(key)
    t.wait("the accepted text", function()
      return not vim.deep_equal(lines_now(), before)
    end)
    t.equal(lines_now(), expected, key)
    t.notes.accepts = (t.notes.accepts or 0) + 1
    if math.random(2) == 1 then -- the accept is an undo step of its own
      t.press("<Esc>u")
      t.equal(lines_now(), before, "undo of " .. key)
      t.press("A")
      t.notes.undos = (t.notes.undos or 0) + 1
      return before
    end
    return expected
  end,
  function(t)
    local expected = lines_now()
    t.press(({ "<Left>", "<Up>", "<Down>", "<End>", "<Home>", "<C-]>" })[math.random(6)])
    return vim.api.nvim_get_mode().mode == "i" and expected or nil
  end,
  function(t)
    local expected = lines_now()
    t.press("<Esc>" .. ({ "A", "i", "a", "I" })[math.random(4)])
    return expected
  end,
  function(t)
    local row, col = cursor()
    if col == 0 then
      return nil
    end
    local expected = lines_now()
    local before, after = split(expected[row], col)
    expected[row] = vim.fn.strcharpart(before, 0, vim.fn.strchars(before) - 1) .. after
    t.press("<BS>")
    return expected
  end,
}

return {
  {
    "the buffer is always what the model says",
    function(t)
      local seed = tonumber(vim.env.SPEC_SEED)
      math.randomseed(seed)
      t.open("random.txt", { "total =", "" })
      vim.opt_local.backspace = "indent,eol,start"
      vim.opt_local.softtabstop, vim.opt_local.autoindent = 0, false
      t.press("A")
      for step = 1, tonumber(vim.env.SPEC_STEPS) do
        local kind = math.random(#STEPS)
        local expected = STEPS[kind](t)
        if expected then
          t.equal(lines_now(), expected, ("seed %d, step %d, kind %d"):format(seed, step, kind))
        end
        if #lines_now() > 40 then
          t.press("<Esc>:%d _<CR>i")
        end
      end
    end,
  },
}
