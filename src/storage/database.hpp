#pragma once

#include "base/error.hpp"

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace stele::storage {

/// One SQL text in the dialect that SQLite 3.40 and PostgreSQL 15 share, with parameters $1, $2, ... Lives for ever
/// (constexpr next to the function that uses it, or in a function-local static): engines key their prepared
/// statements by its name. Construction at run time registers it, so that a test can prepare every statement.
struct Statement {
    std::string_view name;  ///< "block.by_id": unique in the program
    std::string_view sql;
};

/// Bytes that are no text.
struct Blob {
    std::string bytes;
};

/// A parameter or a column: null, integer, real, text or blob.
using Value = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;
using Params = std::vector<Value>;

inline Value to_value(std::string text) { return Value(std::move(text)); }
inline Value to_value(std::string_view text) { return Value(std::string(text)); }
inline Value to_value(const char* text) { return Value(std::string(text)); }
inline Value to_value(double number) { return Value(number); }
inline Value to_value(Blob blob) { return Value(std::move(blob)); }
inline Value to_value(std::nullopt_t) { return Value(); }
inline Value to_value(Value value) { return value; }
template <std::integral I>
Value to_value(I number) {
    return Value(static_cast<std::int64_t>(number));
}
template <class T>
Value to_value(std::optional<T> value) {
    return value ? to_value(std::move(*value)) : Value();
}

template <class... Args>
Params pack(Args&&... args) {
    Params params;
    params.reserve(sizeof...(args));
    (params.push_back(to_value(std::forward<Args>(args))), ...);
    return params;
}

/// One row of an answer; columns by position, as the statement lists them. A wrong type is our own mistake: asserts.
class Row {
public:
    explicit Row(std::vector<Value> columns) : columns_(std::move(columns)) {}

    std::size_t size() const { return columns_.size(); }
    bool is_null(std::size_t column) const { return std::holds_alternative<std::monostate>(columns_.at(column)); }
    const std::string& text(std::size_t column) const { return std::get<std::string>(columns_.at(column)); }
    std::string take_text(std::size_t column) { return std::move(std::get<std::string>(columns_.at(column))); }
    std::int64_t integer(std::size_t column) const { return std::get<std::int64_t>(columns_.at(column)); }
    bool flag(std::size_t column) const { return integer(column) != 0; }
    double real(std::size_t column) const;
    const std::string& blob(std::size_t column) const { return std::get<Blob>(columns_.at(column)).bytes; }
    std::optional<std::string> optional_text(std::size_t column) const;
    std::optional<std::int64_t> optional_integer(std::size_t column) const;
    std::optional<bool> optional_flag(std::size_t column) const;

private:
    std::vector<Value> columns_;
};

using Rows = std::vector<Row>;

/// A statement with its parameters, to be read or written together with others.
struct Query {
    Statement statement;
    Params params;
    /// Owns the statement's text where that does not live for ever; the statement is then named "" and is not kept
    /// prepared.
    std::shared_ptr<const std::string> own_text = nullptr;
};

/// Statements in order and what each must have changed. A value: filling it does no I/O; Database::commit sends it
/// whole. So nobody holds a transaction open across a model call, and a step can be assembled by several repositories.
class Transaction {
public:
    struct Item {
        Query query;
        std::optional<Error> unless_changed;  ///< thrown by the commit, after roll-back, if no row was changed
        std::optional<Error> if_taken;        ///< in place of the general one when a unique key is there already
    };

    /// Lets the last added statement demand that it changes at least one row, or say what it means when a unique key
    /// stands in its way.
    class Added {
    public:
        explicit Added(Item& item) : item_(item) {}
        void expect_row(Error otherwise) { item_.unless_changed = std::move(otherwise); }
        void expect_free(Error otherwise) { item_.if_taken = std::move(otherwise); }

    private:
        Item& item_;
    };

    template <class... Args>
    Added add(const Statement& statement, Args&&... args) {
        return add_packed(statement, pack(std::forward<Args>(args)...));
    }
    Added add_packed(const Statement& statement, Params params);

    bool empty() const { return items_.empty(); }
    std::size_t size() const { return items_.size(); }
    std::vector<Item>& items() { return items_; }

private:
    std::vector<Item> items_;
};

/// Several reads that see one snapshot and cost one round trip.
class ReadBatch {
public:
    template <class... Args>
    ReadBatch& add(const Statement& statement, Args&&... args) {
        queries_.push_back(Query{statement, pack(std::forward<Args>(args)...)});
        return *this;
    }
    std::vector<Query>& queries() { return queries_; }

private:
    std::vector<Query> queries_;
};

/// What the engine has done since it was opened. For tests, benchmarks and /metrics.
struct DatabaseCounters {
    std::uint64_t statements = 0;    ///< executed, reads and writes; BEGIN and COMMIT not counted
    std::uint64_t transactions = 0;  ///< committed Transactions as the callers sent them
    std::uint64_t commits = 0;       ///< commits of the engine: several transactions may share one (group commit)
};

/// The store. Thread-safe; a coroutine resumes on its own executor. Outlives every repository.
///
/// Errors: Error{unavailable} when the store is full, read-only, busy beyond its time-out or closing;
/// Error{conflict} for a unique or foreign key; Error{internal} otherwise, with the engine's text in the log only.
class Database {
public:
    virtual ~Database() = default;

    /// The rows that `statement` reads.
    template <class... Args>
    boost::asio::awaitable<Rows> query(const Statement& statement, Args&&... args) {
        return query_packed(Query{statement, pack(std::forward<Args>(args)...)});
    }
    virtual boost::asio::awaitable<Rows> query_packed(Query query) = 0;

    /// The rows of each read of `batch`, in order, from one snapshot.
    virtual boost::asio::awaitable<std::vector<Rows>> read(ReadBatch batch) = 0;

    /// Carries out all of `transaction` or nothing, durably before it returns: a statement that returns rows
    /// (RETURNING) contributes them at its position. An item whose `unless_changed` is set and that changed no row
    /// rolls all back and throws that error.
    virtual boost::asio::awaitable<std::vector<Rows>> commit(Transaction transaction) = 0;

    /// Does what commits have put off, so that a read that follows sees it: today the index for full text. Throws
    /// Error{unavailable} as commit does.
    virtual boost::asio::awaitable<void> settle() = 0;

    virtual DatabaseCounters counters() const = 0;
};

}  // namespace stele::storage
