#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/authority/folder.h"
#include "common/base/result.h"
#include "common/kubernetes/keyed_texts.h"
#include "common/log/reminder.h"
#include "common/time/time.h"
#include "dnsd/enrolment/api_server.h"

namespace meshdns::enrolment {

/// What to do about the authority's copy in a folder and the one in the Secret.
enum class Exchange { Nothing, Take, Push };

/// Decides whose authority counts. The Secret's does, unless only the copy has changed since both were equal: then
/// somebody has exchanged the authority in the folder (`meshdnsctl ca rotate`).
/// copy:  nothing = there is none that can be used
/// equal: what both held when they were last known to be equal; nothing = not known
Exchange exchange_of(const std::optional<authority::Content>& copy, const std::optional<authority::Content>& equal,
                     const authority::Content& secret);

/// Returns what a Secret keeps of an authority: ca.crt, ca.key, and old.key during an exchange.
kubernetes::KeyedTexts texts_of(const authority::Content& content);
/// Reads the authority of a Secret: of ours, or of the type kubernetes.io/tls, whose keys are tls.crt and tls.key.
/// errors: InvalidArgument: a text is missing, or key and certificate cannot sign; the message has no content
Result<authority::Content> content_of(const kubernetes::KeyedTexts& texts);

/// Whether a folder has an authority that can be used.
bool has_copy(const std::string& folder);

/// Keeps the mesh's authority in a Secret of Kubernetes, with a copy in a folder, where the federation signs with it,
/// and with its certificate in a ConfigMap, which agents mount.
///
/// How it works: each round reads the Secret, compares it with the copy, and then makes the ConfigMap have the
/// certificate.
///
///   no Secret       one is made from the copy, else from a new authority; whoever was faster (409) wins
///   Secret changed  the copy becomes the same
///   copy changed    the Secret becomes the same, if nobody else has changed it meanwhile (resourceVersion)
///
/// Any number of instances may do this: the API server decides who is first. Without the API server the copy stays in
/// use. Deliberately not done: no watch, because a read every half minute of one object by name costs less, and needs
/// no right to see other Secrets.
/// thread: the loop's
class AuthoritySecret {
 public:
  struct Options {
    std::string name_space, secret, config_map;
    std::string folder;        // of the copy
    std::string trust_domain;  // of an authority that is made
    Duration interval = 30s;   // between two rounds; after a failure less at first
    bool read_only = false;    // somebody else writes the Secret: it is neither made nor changed
  };
  static constexpr Duration kInterval = 30s;
  static constexpr Duration kFirstPause = 1s;  // after a failure
  static constexpr int kRaces = 3;             // rounds that begin anew at once because another writer was faster

  /// clock, timers: must outlive this
  /// looked:        called after each round; may be empty
  AuthoritySecret(Options options, ApiServer server, const Clock& clock, Timers& timers,
                  std::function<void()> looked = {});
  AuthoritySecret(const AuthoritySecret&) = delete;
  AuthoritySecret& operator=(const AuthoritySecret&) = delete;
  ~AuthoritySecret();

  /// Begins the first round.
  void start() { look(); }
  /// Why the last round failed; empty = it succeeded.
  const std::string& trouble() const { return trouble_; }
  /// "meshdns/meshdns-authority"
  std::string name() const { return options_.name_space + "/" + options_.secret; }

 private:
  using Handler = void (AuthoritySecret::*)(const kubernetes::Answer&);

  void look();
  /// Sends a request; the handler gets its answer, whatever its status. The round ends if there is none.
  void ask(std::string method, std::string target, std::string body, Handler then);
  void got_secret(const kubernetes::Answer& answer);
  void create_secret();
  void created_secret(const kubernetes::Answer& answer);
  void put_secret(const std::string& body, const authority::Content& copy);
  void have_put_secret(const kubernetes::Answer& answer);
  void take(const authority::Content& content, const std::string& because);
  void look_at_config_map();
  void got_config_map(const kubernetes::Answer& answer);
  void wrote_config_map(const kubernetes::Answer& answer);
  /// Begins the round anew: another writer was faster.
  void lost_race(const std::string& what);
  /// Ends the round.
  void finish(const Result<void>& done);
  void refused(const std::string& what, const kubernetes::Answer& answer);
  kubernetes::KeyedTexts certificate() const;

  const Options options_;
  const ApiServer server_;
  const Clock& clock_;
  Timers& timers_;
  const std::function<void()> looked_;
  std::optional<kubernetes::Call> call_;
  std::optional<TimerId> timer_;
  std::optional<authority::Content> equal_;    // of Secret and copy, when they were last known to be equal
  std::optional<authority::Content> offered_;  // that this round writes into the Secret
  int races_ = 0;
  Duration pause_ = kFirstPause;
  std::string trouble_;
  log::Reminder reminder_;
};

}  // namespace meshdns::enrolment
