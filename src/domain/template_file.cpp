#include "domain/template_file.hpp"

#include "domain/json_mapping.hpp"

namespace stele {

TemplateFile to_version_2(TemplateFileV1 file) {
    TemplateFile made;
    TemplateFileAgent& agent = made.agents.emplace_back();
    agent.id = "agent-0";
    agent.name = std::move(file.name);
    agent.agent_type = file.agent_type;
    agent.system = std::move(file.system);
    agent.description = std::move(file.description);
    agent.llm_config = std::move(file.llm_config);
    agent.metadata = std::move(file.metadata_);
    agent.message_buffer_autoclear = file.message_buffer_autoclear;
    agent.tool_rules = std::move(file.tool_rules);
    std::vector<std::string> block_ids, tool_ids, tags;
    for (TemplateFileMemory& memory : file.core_memory) {
        TemplateFileBlock& block = made.blocks.emplace_back();
        block.id = "block-" + std::to_string(made.blocks.size() - 1);
        block.label = std::move(memory.label);
        block.value = std::move(memory.value);
        block.limit = memory.limit;
        block.description = std::move(memory.description);
        block_ids.push_back(block.id);
    }
    for (const Json& tool : file.tools) tool_ids.push_back(json_member_text(tool.text, "name").value_or(""));
    for (TemplateFileTag& tag : file.tags) tags.push_back(std::move(tag.tag));
    TextMap secrets;
    for (TemplateFileVariable& variable : file.tool_exec_environment_variables)
        secrets.emplace_back(std::move(variable.key), std::string());
    agent.block_ids = std::move(block_ids);
    agent.tool_ids = std::move(tool_ids);
    agent.tags = std::move(tags);
    agent.secrets = std::move(secrets);
    made.tools = std::move(file.tools);
    return made;
}

STELE_JSON_READ(TemplateFileTool)
STELE_JSON_READ(TemplateFileV1)
STELE_JSON_READ(TemplateFile)

}  // namespace stele
