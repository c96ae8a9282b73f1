--- Changes to code: by an instruction, by a code action, and commit messages.
local preview = require("heron.preview")
local selection = require("heron.selection")
local server = require("heron.server")

local M = {}

--- The edits of a workspace edit, if they are all in one buffer and create nothing.
---@param edit lsp.WorkspaceEdit
---@param uri string
---@return lsp.TextEdit[]?
local function edits_in(edit, uri)
  local found = {}
  for _, change in ipairs(edit.documentChanges or {}) do
    if change.kind or change.textDocument.uri ~= uri then
      return nil
    end
    vim.list_extend(found, change.edits)
  end
  for changed, edits in pairs(not edit.documentChanges and edit.changes or {}) do
    if changed ~= uri then
      return nil
    end
    vim.list_extend(found, edits)
  end
  return found
end

--- The lines of a buffer after edits.
---@param buf integer
---@param edits lsp.TextEdit[]
---@param encoding string
---@return string[]
function M.lines_after(buf, edits, encoding)
  local scratch = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(scratch, 0, -1, false, vim.api.nvim_buf_get_lines(buf, 0, -1, false))
  vim.lsp.util.apply_text_edits(vim.deepcopy(edits), scratch, encoding)
  local lines = vim.api.nvim_buf_get_lines(scratch, 0, -1, false)
  vim.api.nvim_buf_delete(scratch, { force = true })
  return lines
end

--- Ask before an edit that a diff of one buffer cannot show.
---@param edit lsp.WorkspaceEdit
---@param label string
---@param apply fun()
local function confirm(edit, label, apply)
  local files = {}
  for _, change in ipairs(edit.documentChanges or {}) do
    files[vim.fn.fnamemodify(vim.uri_to_fname(change.uri or change.textDocument.uri), ":.")] = true
  end
  for uri in pairs(edit.changes or {}) do
    files[vim.fn.fnamemodify(vim.uri_to_fname(uri), ":.")] = true
  end
  local names = table.concat(vim.tbl_keys(files), ", ")
  vim.ui.select({ "Apply", "Discard" }, { prompt = ("%s: changes %s"):format(label, names) }, function(answer)
    if answer == "Apply" then
      apply()
    end
  end)
end

--- Show a workspace edit and apply it if the user accepts.
---@param client vim.lsp.Client
---@param buf integer
---@param edit lsp.WorkspaceEdit
---@param label string
function M.propose(client, buf, edit, label)
  local function apply()
    vim.lsp.util.apply_workspace_edit(edit, client.offset_encoding)
  end
  local edits = edits_in(edit, vim.uri_from_bufnr(buf))
  if not edits then
    return confirm(edit, label, apply)
  end
  local lines = M.lines_after(buf, edits, client.offset_encoding)
  preview.open({ buf = buf, lines = lines, label = label, apply = apply })
end

---@param client vim.lsp.Client
---@param target heron.Target
---@param instruction string
local function ask_edit(client, target, instruction)
  local params = {
    textDocument = { uri = vim.uri_from_bufnr(target.buf), version = vim.lsp.util.buf_versions[target.buf] },
    range = selection.range(target, client.offset_encoding),
    instruction = instruction,
  }
  server.tell("is writing…", vim.log.levels.INFO)
  server.ask(client, "heron/edit", params, function(result)
    M.propose(client, target.buf, result.edit, result.label)
  end)
end

--- Change the selected lines, or the definition at the cursor, as an instruction says.
---@param instruction string asked for if empty
---@param lines? [integer, integer]
function M.instruct(instruction, lines)
  local target = selection.here(lines)
  local client = server.need(target.buf)
  if not client then
    return
  end
  if instruction ~= "" then
    return ask_edit(client, target, instruction)
  end
  vim.ui.input({ prompt = "Change it how? " }, function(answer)
    if answer and answer ~= "" then
      ask_edit(client, target, answer)
    end
  end)
end

---@param client vim.lsp.Client
---@param target heron.Target
---@param action lsp.CodeAction
local function resolve(client, target, action)
  server.tell("is writing…", vim.log.levels.INFO)
  server.ask(client, "codeAction/resolve", action, function(resolved)
    M.propose(client, target.buf, resolved.edit, action.title)
  end)
end

---@param actions lsp.CodeAction[]
---@param take fun(action: lsp.CodeAction)
local function choose(actions, take)
  if #actions == 1 then
    return take(actions[1])
  end
  local function title(action)
    return action.title
  end
  vim.ui.select(actions, { prompt = "Heron", format_item = title }, function(chosen)
    if chosen then
      take(chosen)
    end
  end)
end

--- Run the code action of a name. `otherwise` is called where none is offered.
---@param name string
---@param lines? [integer, integer]
---@param otherwise fun()
function M.run_action(name, lines, otherwise)
  local target = selection.here(lines)
  local client = server.need(target.buf)
  if not client then
    return
  end
  local params = {
    textDocument = { uri = vim.uri_from_bufnr(target.buf) },
    range = selection.range(target, client.offset_encoding),
    context = { diagnostics = require("heron.diagnostics").of(client, target.buf), triggerKind = 1 },
  }
  server.ask(client, "textDocument/codeAction", params, function(offered)
    local actions = vim.tbl_filter(function(action)
      return action.data and action.data.action == name
    end, offered or {})
    if #actions == 0 then
      return otherwise()
    end
    choose(actions, function(action)
      resolve(client, target, action)
    end)
  end)
end

--- Write a commit message at the cursor of a commit's buffer; elsewhere into the unnamed register.
function M.commit_message()
  local target = selection.here()
  local client = server.need(target.buf)
  if not client then
    return
  end
  server.ask(client, "heron/commitMessage", vim.empty_dict(), function(result)
    if vim.bo[target.buf].filetype == "gitcommit" then
      local lines = vim.split(result.message, "\n", { plain = true })
      return vim.api.nvim_buf_set_lines(target.buf, target.row, target.row, false, lines)
    end
    vim.fn.setreg('"', result.message)
    server.tell("yanked: " .. result.message, vim.log.levels.INFO)
  end)
end

return M
