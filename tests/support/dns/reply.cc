#include "tests/support/dns/reply.h"

#include <ldns/ldns.h>

#include <cstdlib>
#include <memory>

#include "common/net/ip_address.h"

namespace meshdns::test {
namespace {

std::string rr_text(const ldns_rr* rr, bool is_question) {
  const std::unique_ptr<char, decltype(&std::free)> raw(ldns_rr2str(rr), &std::free);
  std::string text;
  for (const char* at = raw.get(); *at != '\0' && *at != '\n'; ++at) text += *at == '\t' ? ' ' : *at;
  const auto comment = is_question ? std::string::npos : text.find(" ; ");
  text = text.substr(0, comment);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::vector<std::string> section_text(const ldns_rr_list* list, bool is_question = false) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    out.push_back(rr_text(ldns_rr_list_rr(list, i), is_question));
  }
  return out;
}

std::vector<ReplyOption> read_options(const ldns_rdf* data) {
  std::vector<ReplyOption> out;
  if (data == nullptr) return out;
  const std::uint8_t* raw = ldns_rdf_data(data);
  const std::size_t size = ldns_rdf_size(data);
  for (std::size_t at = 0; at + 4 <= size;) {
    const auto code = static_cast<std::uint16_t>(raw[at] << 8 | raw[at + 1]);
    const std::size_t length = static_cast<std::size_t>(raw[at + 2] << 8 | raw[at + 3]);
    out.push_back({code, std::vector<std::uint8_t>(raw + at + 4, raw + at + 4 + length)});
    at += 4 + length;
  }
  return out;
}

/// ldns_wire2pkt stops after the last record that the counts promise; what is behind it is ours to refuse.
Result<std::size_t> message_size(std::span<const std::uint8_t> message) {
  std::size_t at = 12;
  const auto count = [&](std::size_t i) { return static_cast<std::size_t>(message[i] << 8 | message[i + 1]); };
  const std::size_t questions = count(4);
  const std::size_t records = questions + count(6) + count(8) + count(10);
  for (std::size_t i = 0; i < records; ++i) {
    ldns_rr* rr = nullptr;
    const auto section = i < questions ? LDNS_SECTION_QUESTION : LDNS_SECTION_ANSWER;
    const auto status = ldns_wire2rr(&rr, message.data(), message.size(), &at, section);
    ldns_rr_free(rr);
    if (status != LDNS_STATUS_OK) return Error(Code::DataLoss, ldns_get_errorstr_by_id(status));
  }
  return at;
}

void read_header(const ldns_pkt* pkt, Reply& out) {
  out.id = ldns_pkt_id(pkt);
  out.qr = ldns_pkt_qr(pkt);
  out.aa = ldns_pkt_aa(pkt);
  out.tc = ldns_pkt_tc(pkt);
  out.rd = ldns_pkt_rd(pkt);
  out.ra = ldns_pkt_ra(pkt);
  out.ad = ldns_pkt_ad(pkt);
  out.cd = ldns_pkt_cd(pkt);
  out.opcode = static_cast<std::uint8_t>(ldns_pkt_get_opcode(pkt));
  out.rcode = static_cast<std::uint16_t>(ldns_pkt_get_rcode(pkt) | ldns_pkt_edns_extended_rcode(pkt) << 4);
}

}  // namespace

Result<Reply> parse_reply(std::span<const std::uint8_t> message) {
  if (message.size() < 12) return Error(Code::DataLoss, "shorter than a header");
  ldns_pkt* raw = nullptr;
  const auto status = ldns_wire2pkt(&raw, message.data(), message.size());
  if (status != LDNS_STATUS_OK) return Error(Code::DataLoss, ldns_get_errorstr_by_id(status));
  const std::unique_ptr<ldns_pkt, decltype(&ldns_pkt_free)> pkt(raw, &ldns_pkt_free);
  const auto size = message_size(message);
  if (!size) return size.error();
  if (*size != message.size()) return Error(Code::DataLoss, "bytes behind the last record");
  Reply out;
  read_header(pkt.get(), out);
  out.z = (message[3] & 0x40U) != 0;
  out.question = section_text(ldns_pkt_question(pkt.get()), true);
  out.answer = section_text(ldns_pkt_answer(pkt.get()));
  out.authority = section_text(ldns_pkt_authority(pkt.get()));
  out.additional = section_text(ldns_pkt_additional(pkt.get()));
  out.edns = ldns_pkt_edns(pkt.get());
  out.dnssec_ok = ldns_pkt_edns_do(pkt.get());
  out.edns_version = ldns_pkt_edns_version(pkt.get());
  out.udp_size = ldns_pkt_edns_udp_size(pkt.get());
  out.options = read_options(ldns_pkt_edns_data(pkt.get()));
  out.size = message.size();
  return out;
}

std::optional<std::vector<std::uint8_t>> Reply::option(wire::Option code) const {
  for (const auto& entry : options) {
    if (entry.code == static_cast<std::uint16_t>(code)) return entry.data;
  }
  return std::nullopt;
}

std::string Reply::subnet() const {
  const auto data = option(wire::Option::ClientSubnet);
  if (!data || data->size() < 4) return "";
  std::vector<std::uint8_t> address(data->begin() + 4, data->end());
  address.resize((*data)[1] == 1 ? 4 : 16);
  const auto ip = IpAddress::from_bytes({reinterpret_cast<const char*>(address.data()), address.size()});
  return ip->text() + "/" + std::to_string((*data)[2]) + "/" + std::to_string((*data)[3]);
}

std::string Reply::ede() const {
  const auto data = option(wire::Option::ExtendedError);
  if (!data || data->size() < 2) return "";
  const std::string text(data->begin() + 2, data->end());
  return std::to_string((*data)[0] << 8 | (*data)[1]) + (text.empty() ? "" : " " + text);
}

}  // namespace meshdns::test
