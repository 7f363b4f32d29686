#pragma once

#include <boost/json/fwd.hpp>

namespace stele {

/// The legacy agent file `from` (one agent without the member `agents`, as servers 0.6 to 0.12 wrote it) in the form of
/// version 2. Members of a wrong type are carried over for whoever reads that form to refuse. Throws
/// Error{invalid_argument} (status 400) for what is no agent file at all.
boost::json::value upgraded_agent_file(const boost::json::object& from);

/// A file of version 2 with one agent in the legacy form. `max_steps` >= 0: of its messages only the system message and
/// what follows from the `max_steps`-th last user message on.
boost::json::value legacy_agent_file(const boost::json::object& file, std::int64_t max_steps);

}  // namespace stele
