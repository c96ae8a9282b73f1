-- All real: the server finds or starts a host, here over the scripted engine, whose one answer is 42.
return {
  {
    "a host is started, and its completion accepted",
    function(t)
      t.wait_attached() -- to the file of the command line
      t.equal(vim.fs.basename(vim.api.nvim_buf_get_name(0)), "first.py")
      t.press("ianswer = ")
      t.expect_ghost("42")
      t.press("<Tab>")
      t.wait("the accepted text", function()
        return t.text() == "answer = 42"
      end)
    end,
  },
  {
    "a server that was killed is told of",
    function(t)
      t.press("<Esc>")
      vim.lsp.get_clients({ name = "heron" })[1]:stop(true)
      t.wait("the status", function()
        return require("heron").statusline() == "Heron stopped"
      end)
    end,
  },
}
