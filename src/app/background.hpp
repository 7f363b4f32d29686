#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <cstddef>
#include <functional>
#include <vector>

namespace stele::app {

/// The workers that go on for as long as the server does. Each has run() (a coroutine that ends after stop()), stop()
/// and at_work(), the number of things it can't leave at once. They outlive this.
class Background {
public:
    template <class Worker>
    void add(Worker& worker) {
        workers_.push_back({[&worker](const boost::asio::any_io_executor& executor) {
                                boost::asio::co_spawn(executor, worker.run(), boost::asio::detached);
                            },
                            [&worker] { worker.stop(); }, [&worker] { return std::size_t{worker.at_work()}; }});
    }

    void start(const boost::asio::any_io_executor& executor) {
        for (const Entry& worker : workers_) worker.run(executor);
    }

    void stop() {
        for (const Entry& worker : workers_) worker.stop();
    }

    std::size_t at_work() const {
        std::size_t sum = 0;
        for (const Entry& worker : workers_) sum += worker.at_work();
        return sum;
    }

private:
    struct Entry {
        std::function<void(const boost::asio::any_io_executor&)> run;
        std::function<void()> stop;
        std::function<std::size_t()> at_work;
    };

    std::vector<Entry> workers_;
};

}  // namespace stele::app
