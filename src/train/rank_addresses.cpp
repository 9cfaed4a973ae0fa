// Asks the system for names, routes and interfaces.
#include "train/rank_addresses.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"

namespace byteformer::train {
namespace {

std::string address_text(const sockaddr* address, socklen_t size) {
  char text[NI_MAXHOST] = "";
  ::getnameinfo(address, size, text, sizeof(text), nullptr, 0, NI_NUMERICHOST);
  return text;
}

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

/// The address from which this machine reaches rank 0's: a socket that is connected, but sends nothing, knows.
std::string address_towards(const World& world) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_DGRAM;
  if (::getaddrinfo(world.host.c_str(), std::to_string(world.port).c_str(), &hints, &found) != 0) return {};
  std::string address;
  for (const addrinfo* i = found; i != nullptr && address.empty(); i = i->ai_next) {
    const base::Descriptor socket(::socket(i->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage own{};
    socklen_t size = sizeof(own);
    if (::connect(socket.get(), i->ai_addr, i->ai_addrlen) == 0 &&
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0)
      address = address_text(reinterpret_cast<const sockaddr*>(&own), size);
  }
  ::freeaddrinfo(found);
  return address;
}

/// An address that other machines may reach.
std::string outer_address() {
  ifaddrs* found = nullptr;
  if (::getifaddrs(&found) != 0) return {};
  std::string address;
  for (const ifaddrs* i = found; i != nullptr && address.empty(); i = i->ifa_next)
    if (i->ifa_addr != nullptr && i->ifa_addr->sa_family == AF_INET && (i->ifa_flags & IFF_LOOPBACK) == 0 &&
        (i->ifa_flags & IFF_UP) != 0)
      address = address_text(i->ifa_addr, sizeof(sockaddr_in));
  ::freeifaddrs(found);
  return address;
}

}  // namespace

std::string own_name() {
  char host[256] = "?";
  ::gethostname(host, sizeof(host) - 1);
  return base::joined(base::printable(std::string(host)), ", process ", ::getpid());
}

void require_host(const World& world) {
  constexpr auto kPatience = std::chrono::seconds(5);  // the names of a cluster's new machines may take a moment
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(world.host.c_str(), nullptr, nullptr, &found);
    if (error == 0) return ::freeaddrinfo(found);
    if (std::chrono::steady_clock::now() - start > kPatience)
      throw Error(ErrorCode::kIo, "the machine of rank 0, `" + base::printable(world.host) +
                                      "`, cannot be found: " + ::gai_strerror(error) +
                                      "; MASTER_ADDR should be a name or an address that this machine knows");
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

std::string own_address(const World& world) {
  std::string address = world.local_size == world.size ? "" : address_towards(world);
  if (is_loopback(address)) address = outer_address();
  return address.empty() ? "127.0.0.1" : address;
}

}  // namespace byteformer::train
