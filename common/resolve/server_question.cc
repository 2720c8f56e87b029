#include "common/resolve/server_question.h"

#include <ares.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "common/base/text.h"

namespace meshdns::resolve {
namespace {

constexpr int kInternet = 1;                 // the class IN, RFC 1035 3.2.4
constexpr std::size_t kHeader = 12;          // bytes, RFC 1035 4.1.1
constexpr std::size_t kShortestRecord = 16;  // bytes of an A record whose name is a pointer

struct Type {
  std::string_view name;
  int number;
};
constexpr std::array<Type, 9> kTypes = {
    {{"A", 1}, {"NS", 2}, {"CNAME", 5}, {"SOA", 6}, {"PTR", 12}, {"MX", 15}, {"TXT", 16}, {"AAAA", 28}, {"SRV", 33}}};

/// returns: 0 = unknown
int number_of(std::string_view type) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& one) { return one.name == type; });
  return found == kTypes.end() ? 0 : found->number;
}

unsigned byte_at(std::string_view message, std::size_t at) { return static_cast<unsigned char>(message[at]); }

int rcode_of(std::string_view message) { return static_cast<int>(byte_at(message, 3) & 0x0FU); }

const unsigned char* bytes_of(std::string_view message) {
  return reinterpret_cast<const unsigned char*>(message.data());
}

int size_of(std::string_view message) { return static_cast<int>(message.size()); }

/// Returns c-ares's status.
int read_v4(std::string_view message, std::vector<IpAddress>& out) {
  std::vector<ares_addrttl> found(message.size() / kShortestRecord + 1);
  int count = static_cast<int>(found.size());
  const int status = ares_parse_a_reply(bytes_of(message), size_of(message), nullptr, found.data(), &count);
  if (status != ARES_SUCCESS) return status;
  for (const auto& one : std::span(found).first(static_cast<std::size_t>(count))) {
    out.push_back(IpAddress::v4(ntohl(one.ipaddr.s_addr)));
  }
  return status;
}

int read_v6(std::string_view message, std::vector<IpAddress>& out) {
  std::vector<ares_addr6ttl> found(message.size() / kShortestRecord + 1);
  int count = static_cast<int>(found.size());
  const int status = ares_parse_aaaa_reply(bytes_of(message), size_of(message), nullptr, found.data(), &count);
  if (status != ARES_SUCCESS) return status;
  for (const auto& one : std::span(found).first(static_cast<std::size_t>(count))) {
    out.push_back(IpAddress::v6_bytes(std::span<const std::uint8_t, 16>(one.ip6addr._S6_un._S6_u8)));
  }
  return status;
}

}  // namespace

Result<std::string> write_question(const std::string& name, std::string_view type, std::uint16_t id) {
  const int number = number_of(type);
  if (number == 0) return Error(Code::InvalidArgument, "unknown type " + std::string(type));
  unsigned char* bytes = nullptr;
  int size = 0;
  const int status = ares_create_query(name.c_str(), kInternet, number, id, 1, &bytes, &size, 0);
  const std::unique_ptr<void, void (*)(void*)> owner(bytes, ares_free_string);
  if (status != ARES_SUCCESS) return Error(Code::InvalidArgument, name + ": " + ares_strerror(status));
  return std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

bool is_reply_to(std::string_view question, std::string_view message) {
  constexpr unsigned kResponseAndOpcode = 0xF8;
  constexpr unsigned kResponseToQuery = 0x80;
  if (message.size() < kHeader || message.substr(0, 2) != question.substr(0, 2)) return false;
  if ((byte_at(message, 2) & kResponseAndOpcode) != kResponseToQuery) return false;
  const unsigned questions = byte_at(message, 4) << 8 | byte_at(message, 5);
  if (questions == 0) return rcode_of(message) != 0;
  // The name of the first question cannot be compressed: nothing comes before it. RFC 4343: letters of both cases are
  // equal.
  const auto asked = question.substr(kHeader);
  return questions == 1 && ascii_lower(message.substr(kHeader, asked.size())) == ascii_lower(asked);
}

Result<Reply> read_reply(std::string_view message, std::string_view type) {
  Reply out{.rcode = rcode_of(message), .truncated = (byte_at(message, 2) & 0x02U) != 0};
  const bool has_answers = byte_at(message, 6) != 0 || byte_at(message, 7) != 0;
  if (out.truncated || out.rcode != 0 || !has_answers) return out;
  int status = ARES_SUCCESS;
  if (type == "A") status = read_v4(message, out.addresses);
  if (type == "AAAA") status = read_v6(message, out.addresses);
  if (status == ARES_SUCCESS || status == ARES_ENODATA) return out;
  return Error(Code::DataLoss, "malformed answer");
}

std::string rcode_name(int rcode) {
  constexpr std::array kNames = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
  const auto at = static_cast<std::size_t>(rcode);
  return at < kNames.size() ? kNames[at] : "rcode " + std::to_string(rcode);
}

}  // namespace meshdns::resolve
