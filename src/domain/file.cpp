#include "domain/file.hpp"

#include "domain/json_mapping.hpp"

namespace stele {

std::string_view to_string(FileStatus status) { return mapping::enum_word(status); }

FileStatus parse_file_status(std::string_view word) {
    std::optional<FileStatus> found;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<FileStatus>>([&](auto enumerator) {
        if (word == enumerator.name) found = enumerator.value;
    });
    STELE_ASSERT(found.has_value());
    return *found;
}

STELE_JSON_WRITTEN(FileMetadata)
STELE_JSON_WRITTEN(PaginatedAgentFiles)

}  // namespace stele
