#include "ceremony/room/typesetter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ceremony/room/qr.h"
#include "hsm/base/encoding.h"
#include "hsm/base/words.h"

namespace ceremony::room {
namespace {

constexpr std::string_view kIndent = "  ";
constexpr std::size_t kWidestLabel = 26;
constexpr std::size_t kBytesInLine = 4;
constexpr std::size_t kWordColumn = 12;  // the longest PGP word has 11 letters

std::string Repeat(std::string_view piece, std::size_t times) {
  std::string out;
  out.reserve(piece.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

std::string PadTo(std::string text, std::size_t columns) {
  const std::size_t width = DisplayWidth(text);
  if (width < columns) text.append(columns - width, ' ');
  return text;
}

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

// What is held, in words and in a colour of its own.
struct EnvironmentLook {
  std::string_view name, meaning, code;
  bool is_real = false;
};

// Yellow belongs to rehearsals alone; a production run is white on blue, so that red is kept for what went wrong.
constexpr std::array kEnvironments = {
    EnvironmentLook{"rehearsal", "practice only: nothing made here may ever be used", "30;43"},
    EnvironmentLook{"uit", "user integration test: done as the real thing is, and nothing made here is for production",
                    "30;46"},
    EnvironmentLook{
        "sit", "system integration test: done as the real thing is, and nothing made here is for production", "30;46"},
    EnvironmentLook{"production", "the real thing: what is done here changes real tokens and stays", "1;37;44", true},
};

// One that is not known is taken for the real thing.
const EnvironmentLook& LookOf(std::string_view name) {
  const auto found = std::ranges::find(kEnvironments, name, &EnvironmentLook::name);
  return found == kEnvironments.end() ? kEnvironments.back() : *found;
}

}  // namespace

// The lines and corners of one character set.
struct Typesetter::Drawing {
  std::string_view rule, bar, corner, prompt, quote, dots;
};

const Typesetter::Drawing& Typesetter::drawing() const {
  static constexpr Drawing kBoxes = {"─", "│", "┌─", "└─> ", "┃", "·"};
  static constexpr Drawing kAsciiBoxes = {"-", "|", "+-", "+-> ", "|", "."};
  return look_.charset == Charset::kUtf8 ? kBoxes : kAsciiBoxes;
}

std::string Typesetter::Paint(Ink ink, std::string_view text) const {
  if (!look_.colour || ink == Ink::kPlain || text.empty()) return std::string(text);
  std::string_view code;
  switch (ink) {
    case Ink::kPlain:
      break;
    case Ink::kBold:
      code = "1";
      break;
    case Ink::kQuiet:
      code = "2";
      break;
    case Ink::kGood:
      code = "30;42";
      break;
    case Ink::kWarning:
      code = "1;37;45";
      break;
    case Ink::kBad:
      code = "1;37;41";
      break;
    case Ink::kMode:
      code = LookOf(environment_).code;
      break;
  }
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string Typesetter::Shown(std::string_view text, LineFeeds line_feeds) const {
  return Visible(text, look_.charset, line_feeds);
}

std::string Typesetter::EnvironmentName() const {
  return environment_.empty() ? std::string("CEREMONY") : Upper(Shown(environment_));
}

void Typesetter::AppendWrapped(std::string& out, std::string_view first_prefix, std::string_view next_prefix,
                               std::string_view text, Ink ink, LineFeeds line_feeds) const {
  const std::size_t used = DisplayWidth(next_prefix);
  std::string_view prefix = first_prefix;
  for (const std::string& line : WrapText(Shown(text, line_feeds), look_.width > used ? look_.width - used : 0)) {
    std::string whole(prefix);
    if (line.empty()) whole.erase(whole.find_last_not_of(' ') + 1);
    out += whole + Paint(ink, line) + '\n';
    prefix = next_prefix;
  }
}

std::string_view Typesetter::Join(std::string_view text) {
  if (after_blank_line_ && text.starts_with('\n')) text.remove_prefix(1);
  if (!text.empty()) after_blank_line_ = text == "\n" || text.ends_with("\n\n");
  return text;
}

std::string Typesetter::SetBanner(const Banner& banner) {
  environment_ = banner.environment;
  const EnvironmentLook& environment = LookOf(environment_);
  const std::string_view edge = environment.is_real ? (look_.charset == Charset::kUtf8 ? "═" : "=") : "/";
  const std::string stripe = Paint(Ink::kMode, Repeat(edge, look_.width)) + '\n';
  std::string out = "\n" + stripe;
  for (const std::string& line :
       WrapText(fmt::format("{} - {}", EnvironmentName(), environment.meaning), look_.width - 2 * kIndent.size())) {
    const std::string whole = std::string(kIndent) + line;
    out += (look_.colour ? Paint(Ink::kMode, PadTo(whole, look_.width)) : whole) + '\n';
  }
  out += stripe + '\n';
  AppendWrapped(out, kIndent, kIndent, banner.title, Ink::kBold, LineFeeds::kSpell);
  std::vector<Fact> facts;
  if (!banner.ceremony.empty()) facts.push_back({"ceremony", banner.ceremony});
  facts.insert(facts.end(), banner.facts.begin(), banner.facts.end());
  return out + SetFacts(facts);
}

std::string Typesetter::SetStep(const StepHeading& heading) const {
  const std::string_view rule = drawing().rule;
  const std::string environment = " " + EnvironmentName() + " ";
  const std::string count = fmt::format(" Step {} of {} ", heading.number, heading.total);
  const std::string elapsed = fmt::format(" {} elapsed ", FormatElapsed(heading.elapsed_micros));
  const std::size_t used = DisplayWidth(environment) + count.size() + elapsed.size() + 4;
  std::string out = "\n";
  if (used < look_.width) {
    out += fmt::format("{0}{0}{1}{0}{2}{3}{4}{0}\n", rule, Paint(Ink::kMode, environment), Paint(Ink::kBold, count),
                       Repeat(rule, look_.width - used), elapsed);
  } else {
    AppendWrapped(out, "", "", environment.substr(1) + "-" + count + "-" + elapsed, Ink::kBold, LineFeeds::kSpell);
  }
  if (!heading.section.empty()) {
    AppendWrapped(out, kIndent, kIndent, "Section: " + heading.section, Ink::kPlain, LineFeeds::kSpell);
  }
  const auto read_aloud = [&](const std::string& words) {
    if (words.empty()) return;
    const std::string bar = fmt::format("{}{} ", kIndent, drawing().quote);
    out += fmt::format("\n{}Read aloud:\n", kIndent);
    AppendWrapped(out, bar, bar, words, Ink::kPlain, LineFeeds::kBreak);
  };
  if (!heading.section_say.empty()) {
    read_aloud(heading.section_say);
    out += '\n';
  }
  AppendWrapped(out, kIndent, kIndent, heading.title, Ink::kBold, LineFeeds::kSpell);
  if (!heading.id.empty())
    AppendWrapped(out, kIndent, kIndent, "Step id: " + heading.id, Ink::kPlain, LineFeeds::kSpell);
  read_aloud(heading.say);
  return out + '\n';
}

std::string Typesetter::SetSaying(Tone tone, std::string_view text) const {
  std::string_view word;
  Ink ink = Ink::kPlain;
  switch (tone) {
    case Tone::kPlain:
      break;
    case Tone::kGood:
      word = "OK";
      ink = Ink::kGood;
      break;
    case Tone::kWarning:
      word = "WARNING";
      ink = Ink::kWarning;
      break;
    case Tone::kBad:
      word = "FAILED";
      ink = Ink::kBad;
      break;
  }
  std::string out;
  if (word.empty()) {
    AppendWrapped(out, kIndent, kIndent, text, Ink::kPlain, LineFeeds::kBreak);
    return out;
  }
  const std::string badge = fmt::format("{1}{0}{2}", word, look_.colour ? " " : "[", look_.colour ? " " : "]");
  const std::string hanging(kIndent.size() + badge.size() + 1, ' ');
  AppendWrapped(out, fmt::format("{}{} ", kIndent, Paint(ink, badge)), hanging, text, Ink::kPlain, LineFeeds::kBreak);
  return out;
}

std::string Typesetter::SetFacts(const std::vector<Fact>& facts) const {
  std::size_t column = 0;
  for (const Fact& fact : facts) column = std::max(column, DisplayWidth(Shown(fact.label)));
  column = std::min({column, kWidestLabel, std::max<std::size_t>(look_.width / 3, 8)});
  const std::string hanging(kIndent.size() + column + 2, ' ');
  std::string out;
  for (const Fact& fact : facts) {
    const std::vector<std::string> label = WrapText(Shown(fact.label), std::max<std::size_t>(column, 8));
    for (std::size_t i = 0; i + 1 < label.size(); ++i) out += std::string(kIndent) + label[i] + '\n';
    const std::string& last = label.back();
    const std::string padding(column > DisplayWidth(last) ? column - DisplayWidth(last) : 0, ' ');
    AppendWrapped(out, fmt::format("{}{}{}  ", kIndent, last, padding), hanging, fact.value, Ink::kPlain,
                  LineFeeds::kSpell);
  }
  return out;
}

std::string Typesetter::SetComparison(const Comparison& comparison) const {
  std::size_t column = 0;
  for (const Comparison::Row& row : comparison.rows) column = std::max(column, DisplayWidth(Shown(row.field)));
  column = std::min({column, kWidestLabel, std::max<std::size_t>(look_.width / 3, 8)});
  const std::string wanted_says = Shown(comparison.wanted_says);
  const std::string found_says = Shown(comparison.found_says);
  const std::size_t says = std::max(DisplayWidth(wanted_says), DisplayWidth(found_says));
  constexpr std::size_t kVerdict = 7;  // "DIFFERS"
  const std::string hanging(2 * kIndent.size() + kVerdict + 2 + column + 2, ' ');
  std::string out = "\n";
  AppendWrapped(out, kIndent, kIndent, comparison.title, Ink::kBold, LineFeeds::kSpell);
  std::size_t different = 0;
  for (const Comparison::Row& row : comparison.rows) {
    if (!row.equal) ++different;
    const std::string verdict = row.equal ? PadTo("same", kVerdict) : Paint(Ink::kBad, "DIFFERS");
    const std::vector<std::string> field = WrapText(Shown(row.field), std::max<std::size_t>(column, 8));
    std::string prefix = fmt::format("{0}{0}{1}  {2}  ", kIndent, verdict, PadTo(field.front(), column));
    const auto line = [&](std::string_view said_by, std::string_view text) {
      const std::string name = said_by.empty() ? std::string() : PadTo(std::string(said_by), says) + "  ";
      AppendWrapped(out, prefix + name, hanging + std::string(DisplayWidth(name), ' '), text, Ink::kPlain,
                    LineFeeds::kSpell);
      prefix = hanging;
    };
    if (row.equal && row.wanted == row.found) {
      line({}, row.found);
    } else {
      line(wanted_says, row.wanted);
      line(found_says, row.found);
    }
    for (std::size_t named = 1; named < field.size(); ++named) {
      out += fmt::format("{0}{0}{1}  {2}\n", kIndent, std::string(kVerdict, ' '), field[named]);
    }
  }
  out += different == 0 ? SetSaying(Tone::kGood, fmt::format("All {} fields are the same.", comparison.rows.size()))
                        : SetSaying(Tone::kBad, fmt::format("{} of {} fields {}.", different, comparison.rows.size(),
                                                            different == 1 ? "differs" : "differ"));
  return out + '\n';
}

std::string Typesetter::SetQr(std::string_view label, std::string_view text) const {
  std::string out = "\n";
  AppendWrapped(out, kIndent, kIndent, label, Ink::kBold, LineFeeds::kSpell);
  const auto code = QrCode(text, look_.charset);
  const std::size_t columns = code.ok() ? DisplayWidth(code->substr(0, code->find('\n'))) : 0;
  if (!code.ok() || columns > look_.width) {
    const std::string why = code.ok() ? fmt::format("The window is too narrow for a QR code of {} columns.", columns)
                                      : "This is too long for a QR code.";
    AppendWrapped(out, kIndent, kIndent, why, Ink::kQuiet, LineFeeds::kSpell);
    return out + '\n';
  }
  return out + *code + '\n';
}

std::string Typesetter::SetDigest(std::string_view label, base::ByteView digest) const {
  std::string out = "\n";
  AppendWrapped(out, kIndent, kIndent, label, Ink::kBold, LineFeeds::kSpell);
  const std::vector<std::string> words = base::PgpWords(digest);
  out += Paint(Ink::kQuiet, fmt::format("{}  from byte  hex       words", kIndent)) + '\n';
  for (std::size_t start = 0; start < digest.size(); start += kBytesInLine) {
    const std::size_t count = std::min(kBytesInLine, digest.size() - start);
    std::string spoken;
    for (std::size_t i = 0; i < count; ++i)
      spoken += i + 1 < count ? PadTo(words[start + i], kWordColumn) : words[start + i];
    const std::string prefix =
        fmt::format("{}  {:>9}  {:<8}  ", kIndent, start, base::HexEncode(digest.subspan(start, count)));
    if (prefix.size() + spoken.size() <= look_.width) {
      out += prefix + Paint(Ink::kBold, spoken) + '\n';
    } else {
      AppendWrapped(out, prefix, std::string(prefix.size(), ' '), spoken, Ink::kBold, LineFeeds::kSpell);
    }
  }
  return out + '\n';
}

std::string Typesetter::SetQuestion(const Question& question) const {
  const std::string bar = fmt::format("{}{} ", kIndent, drawing().bar);
  const std::string hanging = bar + std::string(kIndent);
  const std::string asked = question.person.empty() ? std::string("Question") : "Asked: " + Shown(question.person);
  std::string out =
      fmt::format("\n{}{} {}\n", kIndent, drawing().corner, Paint(Ink::kBold, FitText(asked, look_.width - 6)));
  AppendWrapped(out, bar, bar, question.text, Ink::kPlain, LineFeeds::kBreak);
  const auto tell = [&](std::string_view text) { AppendWrapped(out, bar, bar, text, Ink::kPlain, LineFeeds::kSpell); };
  // On the line of its label where there is room, else on lines of its own below.
  const auto show = [&](std::string_view label, std::string_view text) {
    const std::string prefix = fmt::format("{}{}  ", bar, label);
    if (DisplayWidth(prefix) + DisplayWidth(Shown(text)) <= look_.width) {
      AppendWrapped(out, prefix, prefix, text, Ink::kBold, LineFeeds::kSpell);
    } else {
      tell(label);
      AppendWrapped(out, hanging, hanging, text, Ink::kBold, LineFeeds::kSpell);
    }
  };
  switch (question.kind) {
    case Question::Kind::kConsent:
      show("Type exactly:", question.expected);
      tell("Then press Enter. If it is not so, press Ctrl-C: nothing is lost.");
      break;
    case Question::Kind::kText:
      if (!question.example.empty()) show("For example:", question.example);
      tell(question.at_enter ? "Type it first. Then wait, and press Enter at that moment."
                             : "Type the answer, then press Enter.");
      if (question.may_go_back) tell(fmt::format("To go back, type {}.", kBack));
      break;
    case Question::Kind::kChoice:
    case Question::Kind::kDecision:
      for (std::size_t i = 0; i < question.choices.size(); ++i) {
        AppendWrapped(out, fmt::format("{}{:>3}  ", bar, i + 1), bar + "     ", question.choices[i], Ink::kBold,
                      LineFeeds::kSpell);
      }
      tell(fmt::format("Type a number from 1 to {}, then press Enter.", question.choices.size()));
      break;
  }
  return out;
}

std::string Typesetter::SetSecretQuestion(const SecretQuestion& question) const {
  const std::string bar = fmt::format("{}{} ", kIndent, drawing().bar);
  const std::string asked = question.person.empty() ? std::string("Secret") : "Asked: " + Shown(question.person);
  std::string out =
      fmt::format("\n{}{} {}\n", kIndent, drawing().corner, Paint(Ink::kBold, FitText(asked, look_.width - 6)));
  AppendWrapped(out, bar, bar, "Type the " + question.text + ". Then press Enter.", Ink::kPlain, LineFeeds::kBreak);
  AppendWrapped(out, bar, bar,
                question.twice ? "Nothing appears while you type. It is asked twice. Ctrl-U starts again."
                               : "Nothing appears while you type. Ctrl-U starts again.",
                Ink::kPlain, LineFeeds::kBreak);
  return out;
}

std::string Typesetter::SetRemark(std::string_view text) const {
  const std::string bar = fmt::format("{}{} ", kIndent, drawing().bar);
  std::string out;
  AppendWrapped(out, bar, bar, text, Ink::kPlain, LineFeeds::kBreak);
  return out;
}

std::string Typesetter::SetPrompt() const { return fmt::format("{}{}", kIndent, drawing().prompt); }

std::string Typesetter::SetTaken(std::string_view what, std::int64_t micros) const {
  const std::string taken = " " + FormatTaken(micros);
  std::vector<std::string> lines = WrapText(Shown(what), look_.width - kIndent.size() - 16);
  std::string out;
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) out += std::string(kIndent) + lines[i] + '\n';
  const std::size_t used = kIndent.size() + DisplayWidth(lines.back()) + 1 + taken.size();
  const std::size_t gap = look_.width > used + 3 ? look_.width - used : 3;
  out += fmt::format("{}{} {}{}\n", kIndent, lines.back(), Paint(Ink::kQuiet, Repeat(drawing().dots, gap)), taken);
  return out;
}

std::string Typesetter::SetBusy(std::string_view what, std::string_view spinner, std::string_view status) const {
  return FitText(fmt::format("{}{} {}  {}", kIndent, spinner, status, Shown(what)), look_.width - 1);
}

}  // namespace ceremony::room
