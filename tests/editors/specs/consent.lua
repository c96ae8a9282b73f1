-- The model lists a folder by a tool that needs consent. The question is Neovim's own, answered by typed keys.
local function chat_text()
  return table.concat(vim.api.nvim_buf_get_lines(require("heron.chat.window").buffer(), 0, -1, false), "\n")
end

local asked = {}

-- Neovim's own question is drawn and reads keys; how often it was asked, and what, is noted on the way to it.
local function note_questions()
  local select = vim.ui.select
  vim.ui.select = function(items, options, chosen)
    asked[#asked + 1] = { prompt = options.prompt, items = vim.tbl_map(options.format_item, items) }
    vim.api.nvim_input("2<CR>") -- read by the question, which waits for keys
    return select(items, options, chosen)
  end
end

-- The turn has ended when Heron says what one may go on with.
local function ask(t, question, answer)
  vim.cmd("Heron chat " .. question)
  t.wait("the answer and the turn's end", function()
    local _, told = chat_text():find(answer, 1, true)
    return told and chat_text():find("*Ask on", told, true)
  end)
  t.turn()
end

return {
  {
    "a call that needs consent is asked about, and the answer is remembered",
    function(t)
      note_questions()
      t.open("a.py", { "x = 1" })
      ask(t, "change it", "1: done")
      t.equal(#asked, 1)
      t.equal(asked[1].prompt:match("apply_edit") ~= nil, true, asked[1].prompt)
      t.equal(asked[1].items, { "Allow once", "Always in this workspace", "No", "Never in this workspace" })
      ask(t, "change it again", "2: done")
      t.equal(#asked, 1, "asked again")
      t.equal(vim.fn.readfile("a.py"), { "x = 1" }, "nothing is written")
    end,
  },
}
