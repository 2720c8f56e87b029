#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "common/convert/report_convert.h"
#include "common/time/duration_text.h"
#include "dnsd/ctl/commands.h"
#include "dnsd/ctl/token_view.h"
#include "dnsd/ctl/tool.h"

namespace meshdns::ctl {
namespace {

struct Flags {
  std::string node, nodes, dns, person, level;
  std::vector<std::string> prefixes;
  std::string length = "15m";
  std::uint32_t uses = 1;
  std::string id;
};

Error wrong(const std::string& why) { return {Code::InvalidArgument, why}; }

Result<void> set_member(const char* role, const std::string& text, v1::CreateToken& out) {
  const auto owner = owner_of(role, text);
  if (!owner) return owner.error();
  out.set_role(role);
  out.set_cluster(owner->cluster);
  out.set_names(owner->name);
  return {};
}

Result<void> set_holder(const Flags& flags, v1::CreateToken& out) {
  const int named =
      int{!flags.node.empty()} + int{!flags.nodes.empty()} + int{!flags.dns.empty()} + int{!flags.person.empty()};
  if (named != 1) return wrong("say whom the token is for: one of --node, --nodes, --dns and --operator");
  if (!flags.node.empty()) return set_member("node", flags.node, out);
  if (!flags.dns.empty()) return set_member("dns", flags.dns, out);
  if (!flags.nodes.empty()) {
    out.set_role("node");
    out.set_names(flags.nodes);
    return {};
  }
  if (flags.level.empty()) return wrong("--operator needs --level viewer, operator or admin");
  out.set_role("operator");
  out.set_names(flags.person);
  out.set_level(flags.level);
  return {};
}

int create(const Flags& flags, AdminClient& client, Output output) {
  v1::TokenRequest request;
  v1::CreateToken& order = *request.mutable_create();
  if (const auto set = set_holder(flags, order); !set) return fail(set.error());
  const auto length = parse_duration(flags.length);
  if (!length) return fail(length.error().with_context("--for"));
  *order.mutable_length() = convert::to_wire(*length);
  order.set_uses(flags.uses);
  for (const std::string& prefix : flags.prefixes) order.add_prefixes(prefix);
  auto reply = client.token(request);
  if (!reply) return fail(reply.error());
  reply->clear_tokens();
  // nothing but the token: it is meant for `> join.token`
  std::cout << (is_for_people(output) ? reply->token() + "\n" : document(*reply, output));
  return kOk;
}

int list(AdminClient& client, Output output) {
  const auto reply = client.token({});
  if (!reply) return fail(reply.error());
  std::cout << (is_for_people(output) ? token_view(*reply) : document(*reply, output));
  return kOk;
}

int revoke(const Flags& flags, AdminClient& client) {
  v1::TokenRequest request;
  request.set_revoke(flags.id);
  const auto reply = client.token(request);
  if (!reply) return fail(reply.error());
  std::cout << flags.id << " revoked: certificates that were made with it are not renewed\n";
  return kOk;
}

CLI::App* add_create(CLI::App& token, Flags& flags) {
  auto* out = token.add_subcommand("create", "print a token, with which one machine or person gets a certificate");
  out->add_option("--node", flags.node, "for the agent of this node")->type_name("CLUSTER/NODE");
  out->add_option("--nodes", flags.nodes, "for agents of all nodes whose names fit")->type_name("PATTERN");
  out->add_option("--dns", flags.dns, "for this replica")->type_name("CLUSTER/NAME");
  out->add_option("--operator", flags.person, "for this person or pipeline")->type_name("NAME");
  out->add_option("--level", flags.level, "what the operator may do: viewer, operator, admin")->type_name("LEVEL");
  out->add_option("--prefix", flags.prefixes, "use it from these addresses only; may be repeated")
      ->type_name("PREFIX")
      ->allow_extra_args(false);
  out->add_option("--for", flags.length, "how long it may be used")->type_name("DURATION")->capture_default_str();
  out->add_option("--uses", flags.uses, "how many machines may use it")->capture_default_str();
  return out;
}

}  // namespace

void add_token(CLI::App& cli, std::vector<Tool>& tools) {
  const auto flags = std::make_shared<Flags>();
  auto* token = cli.add_subcommand("token", "tokens, with which agents, replicas and operators get certificates");
  token->require_subcommand(1);
  auto* create_part = add_create(*token, *flags);
  auto* list_part = token->add_subcommand("list", "the tokens that there are, without their secrets");
  auto* revoke_part = token->add_subcommand("revoke", "end a token, and the renewal of its certificates");
  revoke_part->add_option("id", flags->id, "of the token, see token list")->required();
  const auto run = [=](AdminClient* client, Output output) {
    if (create_part->parsed()) return create(*flags, *client, output);
    return list_part->parsed() ? list(*client, output) : revoke(*flags, *client);
  };
  tools.push_back({token, [] { return false; }, run});
}

}  // namespace meshdns::ctl
