#pragma once

#include "domain/tool.hpp"

#include <optional>
#include <string>
#include <vector>

namespace stele::runtime {

/// Which tools an agent may call now, and what a call leads to. Knows the rules and the names of the calls that were
/// made since the request came. Pure: no I/O, no clock.
class ToolRuleSet {
public:
    explicit ToolRuleSet(std::vector<ToolRule> rules) : rules_(std::move(rules)) {}

    /// Those of `available` that may be called now, in their order. Where rules about what may follow what leave none,
    /// they don't count; a tool that was called as often as it may be is never among them.
    std::vector<std::string> allowed(const std::vector<std::string>& available) const;

    /// The arguments that a rule fills in if `tool` is called now (a JSON object), or nothing.
    std::optional<std::string> prefilled(const std::string& tool) const;

    /// True if the next answer must be a call.
    bool call_required() const;

    /// Why `tool` may not be called though the agent has it, for the model: names the rule.
    std::string hint(const std::string& tool) const;

    bool ends_turn(const std::string& tool) const { return has(tool, "exit_loop"); }
    bool needs_approval(const std::string& tool) const { return has(tool, "requires_approval"); }
    bool continues_turn(const std::string& tool) const { return has(tool, "continue_loop"); }

    /// True if a rule says what may follow `tool`.
    bool constrains_next(const std::string& tool) const;

    /// Tools that must be called before the turn may end and were not yet.
    std::vector<std::string> missing_before_exit(const std::vector<std::string>& available) const;

    /// True if no rule narrows the choice of tools: then a provider may offer several calls at once.
    bool unconstrained() const;

    /// Remembers a call that was carried out and what it gave back (conditional rules look at it). Calls that a rule
    /// refused did not happen: they open no way that the rules close.
    void called(const std::string& tool, std::string tool_return);

private:
    bool has(const std::string& tool, const char* type) const;
    std::string last() const;
    bool used_up(const std::string& tool) const;
    const ToolRule* missed_parent(const std::string& tool) const;
    const ToolRule* excluding(const std::string& tool) const;

    struct Call {
        std::string tool, tool_return;
    };
    std::vector<ToolRule> rules_;
    std::vector<Call> history_;
};

}  // namespace stele::runtime
