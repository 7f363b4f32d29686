#include "tools/sandbox/launcher.hpp"

#include "tools/sandbox/embedded_files.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <iterator>

namespace stele::tools {

std::vector<std::string> launched(const Preparation& preparation, std::vector<std::string> command) {
    boost::json::object limits{
        {"RLIMIT_CORE", 0}, {"RLIMIT_NOFILE", preparation.descriptors}, {"RLIMIT_FSIZE", preparation.file_bytes}};
    if (preparation.processes > 0) limits["RLIMIT_NPROC"] = preparation.processes;
    if (preparation.memory_bytes > 0) limits["RLIMIT_DATA"] = preparation.memory_bytes;
    const boost::json::object wanted{{"entrance", preparation.entrance},
                                     {"control", preparation.control},
                                     {"port", preparation.port},
                                     {"resigns", preparation.resigns},
                                     {"limits", std::move(limits)}};
    std::vector<std::string> arguments{"-I", "-c", embedded_script("launch.py"), boost::json::serialize(wanted)};
    arguments.insert(arguments.end(), std::make_move_iterator(command.begin()), std::make_move_iterator(command.end()));
    return arguments;
}

std::string embedded_script(std::string_view name) {
    for (const EmbeddedFile& file : embedded_files())
        if (file.name == name) return std::string(file.content);
    return {};
}

}  // namespace stele::tools
