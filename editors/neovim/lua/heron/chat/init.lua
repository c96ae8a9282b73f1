--- The chat: one conversation, told in a Markdown split as it is written.
local selection = require("heron.selection")
local server = require("heron.server")
local window = require("heron.chat.window")

local M = {}

---@class heron.ChatState
---@field conversation? string
---@field client? vim.lsp.Client
---@field running? {request?: integer, token: string}
---@field target? heron.Target the code the last question was about
local state = {}

--- What one report of a turn adds to the chat.
local REPORTS = {
  reply = window.append,
  references = function(references)
    local paths = vim.iter(references):map(function(reference)
      return "`" .. reference.path .. "`"
    end)
    window.paragraph("*Read: " .. paths:join(", ") .. "*\n\n")
  end,
  tool = function(tool)
    if tool.state == "running" then
      window.paragraph(("> `%s` %s\n\n"):format(tool.name, tool.arguments or ""))
    elseif tool.state ~= "ok" then
      window.paragraph(("> `%s`: %s\n\n"):format(tool.name, tool.state))
    end
  end,
  notice = function(notice)
    window.paragraph("> " .. notice .. "\n\n")
  end,
}

---@param value table
local function finish(value)
  state.running = nil
  if value.state == "failed" then
    window.paragraph("> **Failed:** " .. (value.error and value.error.message or "for a reason unknown"))
  elseif value.state == "cancelled" then
    window.paragraph("> Stopped.")
  elseif value.followUps and #value.followUps > 0 then
    window.paragraph("*Ask on: " .. table.concat(value.followUps, " · ") .. "*")
  end
end

---@param value table
local function listen(value)
  if value.kind == "end" then
    return finish(value)
  end
  for member, write in pairs(REPORTS) do
    if value[member] ~= nil and value[member] ~= vim.NIL then
      write(value[member])
    end
  end
  if value.edits and #value.edits > 0 then
    require("heron.chat.apply").offer(state.client, value.edits)
  end
end

--- The conversation, and where a question in it is asked.
---@return table
local function place()
  local client, target = state.client, state.target
  local params = { conversationId = state.conversation }
  if target and vim.lsp.buf_is_attached(target.buf, client.id) then
    params.textDocument = { uri = vim.uri_from_bufnr(target.buf) }
    params.selection = target.lines and selection.range(target, client.offset_encoding) or nil
  end
  return params
end

---@param message string
local function turn(message)
  local client = state.client
  local token = require("heron.progress").open(listen)
  state.running = { token = token }
  local params = vim.tbl_extend("error", place(), { message = message, workDoneToken = token })
  local _, id = client:request("conversation/turn", params, function(failure)
    if failure and state.running and state.running.token == token then -- it failed before it began
      require("heron.progress").close(token)
      finish({ state = "failed", error = failure })
    end
  end)
  if state.running then
    state.running.request = id
  end
end

--- Do something in the conversation, which is begun if there is none, or the server is another one.
---@param client vim.lsp.Client
---@param act fun()
local function converse(client, act)
  if state.conversation and state.client and state.client.id == client.id then
    return act()
  end
  state.client, state.conversation = client, nil
  server.ask(client, "conversation/create", vim.empty_dict(), function(conversation)
    state.conversation = conversation.conversationId
    act()
  end)
end

---@param message string
local function ask(message)
  if state.running then
    return server.tell("is still answering; s in the chat stops it.")
  end
  local client = server.need(state.target and state.target.buf)
  if not client then
    return
  end
  window.paragraph("## You\n\n" .. message .. "\n\n## Heron\n\n")
  converse(client, function()
    turn(message)
  end)
end

--- Let the model read what the next question comes with while it is being typed.
local function warm()
  local client = server.client(state.target and state.target.buf)
  if client and not state.running then
    converse(client, function()
      client:request("conversation/warm", place(), function() end)
    end)
  end
end

local function prompt()
  warm()
  vim.ui.input({ prompt = "Ask Heron: " }, function(message)
    if message and vim.trim(message) ~= "" then
      ask(message)
    end
  end)
end

--- Stop the answer that is being written.
function M.stop()
  if state.running and state.running.request then
    state.client:cancel_request(state.running.request)
  end
end

--- Begin a new conversation; the old one is kept by the server.
function M.restart()
  M.stop()
  if state.running then -- nothing more of it is to be shown
    require("heron.progress").close(state.running.token)
    state.running = nil
  end
  if state.conversation and state.client and not state.client:is_stopped() then
    state.client:request("conversation/destroy", { conversationId = state.conversation }, function() end)
  end
  state.conversation = nil
  window.clear()
end

local KEYS = {
  ["<CR>"] = { prompt, "ask" },
  i = { prompt, "ask" },
  s = { M.stop, "stop the answer" },
  ["<C-c>"] = { M.stop, "stop the answer" },
  R = { M.restart, "new conversation" },
  q = { vim.cmd.close, "close the chat" },
  a = {
    function()
      require("heron.chat.apply").block(state.target)
    end,
    "apply the code block",
  },
  y = {
    function()
      require("heron.chat.apply").yank()
    end,
    "yank the code block",
  },
}

--- Open the chat, and ask if there is something to ask.
---@param text string
---@param lines? [integer, integer]
function M.open(text, lines)
  local target = selection.here(lines)
  if target.buf ~= window.buffer() then
    state.target = target
  end
  window.open(KEYS)
  if text ~= "" then
    return ask(text)
  end
  warm()
  if not state.running and vim.api.nvim_buf_line_count(0) == 1 then
    window.append("*Press Enter to ask about the file you came from.*\n")
  end
end

--- Open the chat and ask by one of its commands, such as `explain`.
---@param command string
---@param text string
---@param lines? [integer, integer]
function M.run(command, text, lines)
  M.open(vim.trim(("/%s %s"):format(command, text)), lines)
end

return M
