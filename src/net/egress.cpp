#include "net/egress.hpp"

#include <algorithm>
#include <array>

namespace stele::net {
namespace {

namespace ip = boost::asio::ip;

struct Range4 {
    std::array<std::uint8_t, 4> first;
    int bits;
};

// The last is Azure's own, which every machine there can reach.
constexpr Range4 not_public_4[] = {
    {{0, 0, 0, 0}, 8},      {{10, 0, 0, 0}, 8},     {{100, 64, 0, 0}, 10}, {{127, 0, 0, 0}, 8},
    {{169, 254, 0, 0}, 16}, {{172, 16, 0, 0}, 12},  {{192, 0, 0, 0}, 24},  {{192, 0, 2, 0}, 24},
    {{192, 88, 99, 0}, 24}, {{192, 168, 0, 0}, 16}, {{198, 18, 0, 0}, 15}, {{198, 51, 100, 0}, 24},
    {{203, 0, 113, 0}, 24}, {{224, 0, 0, 0}, 4},    {{240, 0, 0, 0}, 4},   {{168, 63, 129, 16}, 32},
};

struct Range6 {
    std::array<std::uint8_t, 6> first;  // the rest is zero
    int bits;
};

// Within 2000::/3, outside of which nothing is public.
constexpr Range6 not_public_6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23},  // Teredo, benchmarks, ORCHID and other protocols' own
    {{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    {{0x3f, 0xff, 0x00, 0x00}, 20},  // documentation
};

template <class Bytes, class First>
bool within(const Bytes& bytes, const First& first, int bits) {
    for (std::size_t i = 0; bits > 0; ++i, bits -= 8) {
        const auto mask = static_cast<std::uint8_t>(bits >= 8 ? 0xff : 0xff << (8 - bits));
        if ((bytes[i] & mask) != (first[i] & mask)) return false;
    }
    return true;
}

bool is_public_4(const ip::address_v4::bytes_type& bytes) {
    return std::none_of(std::begin(not_public_4), std::end(not_public_4),
                        [&](const Range4& range) { return within(bytes, range.first, range.bits); });
}

// Where clouds have what others have at 169.254.169.254: Azure, Alibaba and Oracle; Amazon and Google.
constexpr Range4 metadata_4[] = {{{168, 63, 129, 16}, 32}, {{100, 100, 100, 200}, 32}, {{192, 0, 0, 192}, 32}};
constexpr const char* metadata_6[] = {"fd00:ec2::254", "fd20:ce::254"};

// Where an IPv6 address carries one of IPv4.
constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::array<std::uint8_t, 12> translated{0x00, 0x64, 0xff, 0x9b};  // NAT64
constexpr std::array<std::uint8_t, 2> tunnelled{0x20, 0x02};                // 6to4

ip::address_v4 carried(const ip::address_v6::bytes_type& bytes, std::size_t offset) {
    return ip::address_v4({bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]});
}

bool is_public_6(const ip::address_v6::bytes_type& bytes) {
    constexpr std::array<std::uint8_t, 1> global{0x20};
    if (within(bytes, mapped, 96) || within(bytes, translated, 96)) return is_public_4(carried(bytes, 12).to_bytes());
    if (within(bytes, tunnelled, 16)) return is_public_4(carried(bytes, 2).to_bytes());
    if (!within(bytes, global, 3)) return false;
    return std::none_of(std::begin(not_public_6), std::end(not_public_6),
                        [&](const Range6& range) { return within(bytes, range.first, range.bits); });
}

}  // namespace

bool is_public(const ip::address& address) {
    return address.is_v4() ? is_public_4(address.to_v4().to_bytes()) : is_public_6(address.to_v6().to_bytes());
}

bool is_link_local(const ip::address& address) {
    if (address.is_v4()) {
        const auto bytes = address.to_v4().to_bytes();
        return within(bytes, std::array<std::uint8_t, 2>{169, 254}, 16) ||
               std::any_of(std::begin(metadata_4), std::end(metadata_4),
                           [&](const Range4& range) { return within(bytes, range.first, range.bits); });
    }
    const ip::address_v6 wide = address.to_v6();
    if (wide.is_v4_mapped()) return is_link_local(ip::make_address_v4(ip::v4_mapped, wide));
    const auto bytes = wide.to_bytes();
    if (within(bytes, translated, 96)) return is_link_local(carried(bytes, 12));
    if (within(bytes, tunnelled, 16)) return is_link_local(carried(bytes, 2));
    return wide.is_link_local() || std::any_of(std::begin(metadata_6), std::end(metadata_6),
                                               [&](const char* each) { return wide == ip::make_address_v6(each); });
}

bool EgressRules::permit(const std::string& host, const ip::address& address) const {
    return !allows || allows(address) ||
           std::find(trusted_hosts.begin(), trusted_hosts.end(), host) != trusted_hosts.end();
}

}  // namespace stele::net
