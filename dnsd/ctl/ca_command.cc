#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "common/authority/authority.h"
#include "common/authority/description.h"
#include "common/authority/folder.h"
#include "common/authority/key.h"
#include "common/base/durable_file.h"
#include "common/base/whole_file.h"
#include "common/identity/identity.h"
#include "common/time/duration_text.h"
#include "common/time/system_clock.h"
#include "common/time/time_text.h"
#include "dnsd/ctl/ca_view.h"
#include "dnsd/ctl/commands.h"
#include "dnsd/ctl/tool.h"

namespace meshdns::ctl {
namespace {

using authority::Authority;
using authority::Description;
using identity::Identity;
using identity::Role;

struct Flags {
  std::string folder = "ca";
  std::string trust_domain = "mesh.internal";
  std::string node, dns, federation, person, level;
  std::vector<std::string> addresses;
  std::string length = duration_text(authority::kIssuedLifetime);
  std::string out;
  std::string file;
  bool finish = false;
};

Error wrong(const std::string& why) { return {Code::InvalidArgument, why}; }

std::int64_t time_now() { return SystemClock().unix_seconds(); }

Result<Identity> member_of(Role role, const std::string& text) {
  auto owner = owner_of(identity::role_name(role), text);
  if (!owner) return owner.error();
  return Identity{role, std::move(owner->cluster), std::move(owner->name)};
}

Result<Identity> operator_of(const Flags& flags) {
  if (flags.level.empty()) return wrong("--operator needs --level viewer, operator or admin");
  const auto level = identity::level_of(flags.level);
  if (!level) return level.error().with_context("--level");
  return Identity{Role::Operator, "", flags.person, *level};
}

/// Returns whom the flags of `ca issue` name.
Result<Identity> named_by(const Flags& flags) {
  std::vector<Result<Identity>> found;
  if (!flags.node.empty()) found.push_back(member_of(Role::Node, flags.node));
  if (!flags.dns.empty()) found.push_back(member_of(Role::Dns, flags.dns));
  if (!flags.federation.empty()) found.push_back(member_of(Role::Federation, flags.federation));
  if (!flags.person.empty()) found.push_back(operator_of(flags));
  if (found.size() != 1)
    return wrong("say whom the certificate is for: one of --node, --dns, --federation and --operator");
  if (!found.front()) return found.front();
  if (flags.person.empty() && !flags.level.empty()) return wrong("--level is for --operator only");
  if (auto fits = identity::check(*found.front()); !fits) return fits.error();
  return found.front();
}

Result<authority::Order> order_of(const Flags& flags) {
  auto identity = named_by(flags);
  if (!identity) return identity.error();
  const auto length = parse_duration(flags.length);
  if (!length) return length.error().with_context("--for");
  return authority::Order{*std::move(identity), flags.addresses, *length};
}

/// Reads the authority of a folder; says what to do if there is none.
Result<Authority> authority_in(const std::string& folder) {
  auto out = authority::read_folder(folder);
  if (out || out.error().code() != Code::NotFound) return out;
  return Error(Code::NotFound, out.error().message() + "; meshdnsctl ca init makes one, --folder names another folder");
}

/// A certificate and its key, as PEM.
struct Made {
  std::string certificate, key;
};

Result<Made> made_for(const authority::Order& order, const Authority& authority) {
  auto key = authority::make_key();
  if (!key) return key.error();
  const auto request = authority::make_request(*key);
  if (!request) return request.error();
  auto certificate = authority::sign(authority, *request, order, time_now());
  if (!certificate) return certificate.error();
  if (order.identity.role == Role::Federation) {
    // whoever joins by a token knows the authority by the hash of its key only, and has to see its certificate
    const auto signer = authority::signing_certificate(authority);
    if (!signer) return signer.error();
    *certificate += *signer;
  }
  return Made{*std::move(certificate), *std::move(key)};
}

/// Writes both files, or none.
Result<void> write_files(const Made& made, const Issued& files) {
  for (const std::string& path : {files.key, files.certificate}) {
    std::error_code ignored;
    if (std::filesystem::exists(std::filesystem::symlink_status(path, ignored)))
      return Error(Code::AlreadyExists, path + " exists; nothing issued: --out names other files");
  }
  if (auto written = put_file(files.key, made.key, 0600); !written) return written;
  auto written = put_file(files.certificate, made.certificate, 0644);
  std::error_code ignored;
  if (!written) std::filesystem::remove(files.key, ignored);
  return written;
}

int init(const Flags& flags) {
  const auto made = authority::make_authority(flags.trust_domain, time_now());
  if (!made) return fail(made.error());
  if (const auto written = authority::create_folder(flags.folder, *made); !written) return fail(written.error());
  const auto about = authority::describe(made->certificates);
  if (!about) return fail(about.error());
  const authority::Files files(flags.folder);
  std::cout << owner_text(about->front()) << " until " << time_text(about->front().not_after) << "\n"
            << files.certificates << ": every agent, replica, federation and operator needs it\n"
            << files.key << ": whoever can read it can become anybody; it stays here\n";
  return kOk;
}

int issue(const Flags& flags) {
  const auto order = order_of(flags);
  if (!order) return fail(order.error());
  const auto authority = authority_in(flags.folder);
  if (!authority) return fail(authority.error());
  const auto made = made_for(*order, *authority);
  if (!made) {
    const bool expired = made.error().code() == Code::FailedPrecondition;
    return fail(expired
                    ? Error(Code::FailedPrecondition, made.error().message() + "; meshdnsctl ca rotate makes another")
                    : made.error());
  }
  const auto about = authority::describe(made->certificate);
  if (!about) return fail(about.error());
  const std::string prefix = flags.out.empty() ? order->identity.name : flags.out;
  const Issued issued{order->identity, prefix + ".pem", prefix + ".key", authority::Files(flags.folder).certificates,
                      about->front().not_after};
  if (const auto written = write_files(*made, issued); !written) return fail(written.error());
  std::cout << issued_view(issued);
  if (order->identity.role == Role::Federation && order->addresses.empty())
    std::cerr << "without --address no agent, replica or meshdnsctl accepts this federation\n";
  return kOk;
}

int show_file(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return fail(text.error());
  const auto certificates = authority::describe(*text);
  if (!certificates) return fail(certificates.error().with_context(path));
  for (const Description& one : *certificates) std::cout << certificate_view(one, "", time_now());
  return kOk;
}

int show(const Flags& flags) {
  if (!flags.file.empty()) return show_file(flags.file);
  const auto authority = authority_in(flags.folder);
  if (!authority) return fail(authority.error());
  const auto all = authority::describe(authority->certificates);
  if (!all) return fail(all.error().with_context(flags.folder));
  const auto signer = authority::describe_signer(*authority);
  if (!signer) return fail(signer.error().with_context(flags.folder));
  for (const Description& one : *all) {
    const bool signs = one.key_hash == signer->key_hash;
    std::cout << certificate_view(one, signs ? ", signs" : ", trusted until meshdnsctl ca rotate --finish", time_now());
  }
  return kOk;
}

int finish(const Flags& flags) {
  if (const auto finished = authority::finish_rotation(flags.folder); !finished) return fail(finished.error());
  std::cout << "one authority is trusted again: copy " << authority::Files(flags.folder).certificates
            << " to everybody once more\n";
  return kOk;
}

int rotate(const Flags& flags) {
  const auto old = authority_in(flags.folder);
  if (!old) return fail(old.error());
  if (flags.finish) return finish(flags);
  const auto next = authority::rotated(*old, time_now());
  if (!next) return fail(next.error().with_context(flags.folder));
  if (const auto written = authority::write_rotated(flags.folder, *old, *next); !written) return fail(written.error());
  std::cout << "a new authority signs, and the old one is trusted too:\n"
            << "1. copy " << authority::Files(flags.folder).certificates << " to everybody\n"
            << "2. issue new certificates for everybody\n"
            << "3. run meshdnsctl ca rotate --finish\n";
  return kOk;
}

CLI::App* add_part(CLI::App& ca, const char* name, const char* what, Flags& flags) {
  auto* out = ca.add_subcommand(name, what);
  out->add_option("--folder", flags.folder, "of the authority")->capture_default_str();
  return out;
}

CLI::App* add_issue(CLI::App& ca, Flags& flags) {
  auto* out = add_part(ca, "issue", "a key, and a certificate that says whose it is", flags);
  out->add_option("--node", flags.node, "of the agent of this node")->type_name("CLUSTER/NODE");
  out->add_option("--dns", flags.dns, "of this replica")->type_name("CLUSTER/NAME");
  out->add_option("--federation", flags.federation, "of this instance of a federation")->type_name("CLUSTER/NAME");
  out->add_option("--address", flags.addresses, "where clients find the federation; may be repeated")
      ->type_name("NAME-OR-IP")
      ->allow_extra_args(false);
  out->add_option("--operator", flags.person, "of this person or pipeline")->type_name("NAME");
  out->add_option("--level", flags.level, "what the operator may do: viewer, operator, admin")->type_name("LEVEL");
  out->add_option("--for", flags.length, "how long it is valid")->type_name("DURATION")->capture_default_str();
  out->add_option("--out", flags.out, "write PREFIX.pem and PREFIX.key; else the owner's name")->type_name("PREFIX");
  return out;
}

}  // namespace

void add_ca(CLI::App& cli, std::vector<Tool>& tools) {
  const auto flags = std::make_shared<Flags>();
  auto* ca = cli.add_subcommand("ca", "the mesh's own authority: certificates without another infrastructure");
  ca->require_subcommand(1);
  auto* init_part = add_part(*ca, "init", "make an authority", *flags);
  init_part->add_option("--trust-domain", flags->trust_domain, "the first part of all its URIs")->capture_default_str();
  auto* issue_part = add_issue(*ca, *flags);
  auto* show_part = add_part(*ca, "show", "whose a certificate is, until when, and the hash of its key", *flags);
  show_part->add_option("file", flags->file, "a file with certificates; else the authority of --folder");
  auto* rotate_part = add_part(*ca, "rotate", "replace the authority by a new one, while both are trusted", *flags);
  rotate_part->add_flag("--finish", flags->finish, "end the trust in the old one");
  const auto run = [=](AdminClient*, Output) {
    if (init_part->parsed()) return init(*flags);
    if (issue_part->parsed()) return issue(*flags);
    return show_part->parsed() ? show(*flags) : rotate(*flags);
  };
  tools.push_back({ca, [] { return true; }, run});
}

}  // namespace meshdns::ctl
