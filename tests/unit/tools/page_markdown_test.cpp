// What the model reads of a web page.
#include "base/utf8.hpp"
#include "tools/web/charset.hpp"
#include "tools/web/html_reduction.hpp"
#include "tools/web/markdown.hpp"

#include <gtest/gtest.h>

namespace stele::tools::web {
namespace {

std::string markdown(std::string_view html) { return page_to_markdown(html, "https://example.org/docs/page?x=1"); }

struct Case {
    const char* html;
    const char* text;
};

TEST(PageToMarkdown, WritesEachElement) {
    const Case cases[] = {
        {"<p>One\n  two</p><p>three", "One two\n\nthree"},
        {"<h1>Top</h1>text<h3>Deep <em>down</em></h3>", "# Top\n\ntext\n\n### Deep *down*"},
        {"<p>a <b>bold </b>word, <i></i>no<del>t</del>", "a **bold** word, no~~t~~"},
        {"<a href='/up?a=b#c'>up</a> <a href=other.html>by</a> <a href='https://e.org/é ü'>x</a>",
         "[up](https://example.org/up?a=b#c) [by](https://example.org/docs/other.html) "
         "[x](https://e.org/%C3%A9%20%C3%BC)"},
        {"<a href='javascript:x()'>script</a> <a href='#top'>top</a> <a href='/x'></a><a name=y>here</a>",
         "script top here"},
        {"<a href=/x><div><h3>Card</h3><p>Text</p></div></a>", "[Card Text](https://example.org/x)"},
        {"<ul><li>one<li>two<ol><li>a</li><li>b</li></ol></li><li><p>three</p></ul>end",
         "- one\n- two\n  1. a\n  2. b\n\n- three\n\nend"},
        {"<ol start=7><li>seven<li>eight</ol>", "7. seven\n8. eight"},
        {"<blockquote><p>said</p><p>so</p></blockquote>", "> said\n>\n> so"},
        {"<pre><code class='hl language-cpp'>int a;\n  int b;\n</code></pre>", "```cpp\nint a;\n  int b;\n```"},
        {"<ul><li>x<pre>a\nb</pre></ul>", "- x\n\n  ```\n  a\n  b\n  ```"},
        {"Use <code>a  b</code> or <kbd>x`y</kbd>.", "Use `a b` or ``x`y``."},
        {"<table><tr><th>A<th>B|C</tr><tr><td>1<td><a href=/l>two</a></tr><tr><td>3</table>",
         "| A | B\\|C |\n| --- | --- |\n| 1 | [two](https://example.org/l) |\n| 3 | |"},
        {"<table><tr><td><h2>Left</h2><p>text</td><td>right</td></tr><tr><td>a<td>b</table>",
         "## Left\n\ntext\n\nright\n\na\n\nb"},
        {"<img src=/i.png alt='A cat'> <img src=x.png> <img src='data:image/png;base64,xx' alt=dot>",
         "![A cat](https://example.org/i.png) [dot]"},
        {"<dl><dt>Term<dd>meaning</dl>", "Term\n\n- meaning"},
        {"a<br>b<hr>c", "a\nb\n\n---\n\nc"},
        {"5 &lt; 6 &amp; caf&eacute; &#8212; &copy;", "5 < 6 & café — ©"},
        {"<details><summary>More</summary>inside</details>", "More\n\ninside"},
        {"<base href='https://b.org/x/'><a href=y>y</a>", "[y](https://b.org/x/y)"},
        {"a < b and 1<2", "a < b and 1<2"},
        {"soft\xc2\xadhyphen no\xc2\xa0"
         "break",
         "softhyphen no break"},
        {"<b>bold<p>para</b> graph", "**bold**\n\npara graph"},
        {"plain text", "plain text"},
        {"", ""},
        {"<html></html>", ""},
    };

    for (const Case& each : cases) EXPECT_EQ(markdown(each.html), each.text) << each.html;
}

TEST(PageToMarkdown, LeavesOutWhatNobodySees) {
    for (const char* hidden : {"<script>if (a<b) document.write('</p>')</script>",
                               "<style>p{}</style>",
                               "<!-- <p>no</p> -->",
                               "<!--><!-- x --!>",
                               "<noscript>Switch it on</noscript>",
                               "<template><p>x</template>",
                               "<p hidden>x</p>",
                               "<p aria-hidden=TRUE hidden>x</p>",
                               "<p style='color:red; DISPLAY : none'>x</p>",
                               "<span style=\"visibility:hidden\">x</span>",
                               "<svg><title>x</title></svg>",
                               "<select><option>x</select>",
                               "<textarea>x</textarea>",
                               "<button>x</button>",
                               "<input value=x>",
                               "<iframe>x</iframe>",
                               "<dialog>x</dialog>",
                               "<nav>x</nav>",
                               "<aside>x</aside>",
                               "<footer>x</footer>",
                               "<div role=navigation>x</div>",
                               "<header><a href=/>x</a></header>",
                               "<?php x ?>",
                               "<![CDATA[x]]>",
                               "</ x>"})
        EXPECT_EQ(markdown(std::string("<body><p>before</p>") + hidden + "<p>behind</p>"), "before\n\nbehind")
            << hidden;
}

TEST(PageToMarkdown, ChoosesWhatThePageIsAbout) {
    const std::string words(400, 'w');
    const std::string menu = "<div><a href=/1>Home</a> <a href=/2>Shop</a></div>";

    EXPECT_EQ(markdown("<title>T</title>" + menu + "<main><p>" + words + "</main>"), "# T\n\n" + words);
    EXPECT_EQ(markdown(menu + "<article><h1>H</h1>" + words + "<article>comment</article></article>"),
              "# H\n\n" + words + "\n\ncomment");
    EXPECT_EQ(markdown("<article>one</article><article>two</article>"), "one\n\ntwo");
    // A <main> that holds nearly nothing is believed no more than any other part.
    EXPECT_EQ(markdown("<main>x</main><div>" + words + "</div>"), "x\n\n" + words);
}

TEST(PageToMarkdown, PutsTheTitleOnceInFront) {
    EXPECT_EQ(markdown("<title> A\n &amp; <b> </title><p>x"), "# A & <b>\n\nx");
    EXPECT_EQ(markdown("<title>Site</title><h1>Head</h1>x"), "# Head\n\nx");
    EXPECT_EQ(markdown("<head><meta property=og:title content='Shared'></head><p>x"), "# Shared\n\nx");
}

TEST(PageToMarkdown, KeepsTextHoweverDeepItStands) {
    for (const std::string tag : {"div", "font", "b", "blockquote"}) {
        std::string page = "<p>start</p>";
        for (int i = 0; i < 2'000; ++i) page += "<" + tag + ">";
        const std::string text = markdown(page + "deep</" + tag + "><p>end");
        EXPECT_NE(text.find("deep"), text.npos) << tag;
        EXPECT_NE(text.find("end"), text.npos) << tag;
    }
    std::string open_ends = "<body>";
    for (int i = 0; i < 1'000; ++i) open_ends += "<p>" + std::to_string(i) + "<br>";
    EXPECT_TRUE(markdown(open_ends).ends_with("998\n\n999")) << markdown(open_ends);
}

TEST(PageToMarkdown, CutsBetweenCharacters) {
    const auto repeated = [](std::string_view piece, std::size_t count) {
        std::string made;
        for (std::size_t i = 0; i < count; ++i) made += piece;
        return made;
    };
    for (const std::string shift : {"", "a", "aa"}) {
        EXPECT_TRUE(is_utf8(markdown("<title>" + shift + repeated("中", 1'000) + "</title><p>x")));
        for (const std::string tag : {"p", "pre", "code", "b"}) {
            const std::string text = markdown("<" + tag + ">" + shift + repeated("中", 1u << 20) + "</" + tag + ">");
            EXPECT_TRUE(is_utf8(text)) << tag;
            EXPECT_NEAR(static_cast<double>(text.size()), 2u << 20, 20) << tag;
        }
    }
}

// Each would take minutes, gigabytes or the whole stack where something is not linear.
TEST(PageToMarkdown, GetsThroughHugeAndHostilePages) {
    const auto repeated = [](std::string_view piece, std::size_t bytes) {
        std::string made;
        while (made.size() < bytes) made += piece;
        return made;
    };
    constexpr std::size_t bytes = 3u << 20;
    std::string attributes = "<p ";
    for (int i = 0; i < 300'000; ++i) attributes += "a" + std::to_string(i) + "=1 ";
    for (const std::string& page : {repeated("<div>", bytes),
                                    repeated("<b>", bytes),
                                    repeated("<ul><li>", bytes),
                                    repeated("<blockquote>x", bytes),
                                    repeated("<table><tr><td>", bytes),
                                    repeated("<a href=/x>", bytes),
                                    repeated("<p>x</p>", bytes),
                                    repeated("<", bytes),
                                    repeated("</", bytes),
                                    repeated("<!--", bytes),
                                    repeated("<a b=\"", bytes),
                                    repeated("&amp", bytes),
                                    repeated("</p>", bytes),
                                    repeated("<br>", bytes),
                                    repeated("x ", bytes),
                                    repeated("<script>", bytes),
                                    repeated("<title>", bytes),
                                    attributes,
                                    attributes + ">x",
                                    repeated("<header>", bytes),
                                    repeated("<pre>", bytes),
                                    std::string(bytes, '\n')})
        EXPECT_LE(markdown(page).size(), 3u << 20) << page.substr(0, 20);
}

TEST(ReducedHtml, SpellsEachTagInOneWay) {
    const Case cases[] = {
        {"<A HREF = '/x\"y' onclick=\"f('>')\" href=z>t</A >", "<a href=\"/x&quot;y\">t</a>"},
        {"<p class=a/b>x</p\n>", "<p class=\"a/b\">x</p>"},
        {"<img src=a.png alt>", "<img src=\"a.png\" alt=\"\">"},
        {"<img/src=a/>", "<img src=\"a/\">"},
        {"<p x=\">\">a</p>", "<p>a</p>"},
        {"<p =\">b", "<p>b"},
        {"<a\"b>x", "x"},
        {"x<p", "x"},
        {"<p a=\"", ""},
        {"<scrip>t</scrip>", "<scrip>t</scrip>"},
        {"<SCRIPT>a</scripty></Script >b", " b"},
        {"<title><b>&lt;</title>x", "<title>&lt;b>&lt;</title>x"},
        {"1 < 2 <3", "1 &lt; 2 &lt;3"},
    };

    for (const Case& each : cases) EXPECT_EQ(reduced_html(each.html), each.text) << each.html;
}

TEST(ToUtf8, ReadsTheEncodingThatIsDeclared) {
    EXPECT_EQ(to_utf8("caf\xe9 \x80", "ISO-8859-1", true), "café €");
    EXPECT_EQ(to_utf8("caf\xe9", " Windows-1252 ", false), "café");
    EXPECT_EQ(to_utf8("\xef\xe0", "windows-1251", true), "па");
    EXPECT_EQ(to_utf8("\x93\xfa\x96\x7b", "shift_jis", true), "日本");
    EXPECT_EQ(to_utf8("<meta charset=koi8-r>\xd0", "", true), "<meta charset=koi8-r>п");
    EXPECT_EQ(to_utf8("<META http-equiv=x content='text/html; charset=ISO-8859-2'>\xb1", "", true),
              "<META http-equiv=x content='text/html; charset=ISO-8859-2'>ą");
    EXPECT_EQ(to_utf8("<meta charset=utf-16>\xc3\xa9", "", true), "<meta charset=utf-16>é");
    EXPECT_EQ(to_utf8(std::string_view("\xff\xfe"
                                       "a\0\xe9\0",
                                       6),
                      "utf-8", true),
              "aé");
    EXPECT_EQ(to_utf8("\xef\xbb\xbf"
                      "é",
                      "latin1", true),
              "é");
}

TEST(ToUtf8, MakesSomethingOfWhatIsDeclaredWrong) {
    EXPECT_EQ(to_utf8("é", "", false), "é");
    EXPECT_EQ(to_utf8("\xe9", "", false), "é");
    EXPECT_EQ(to_utf8("a\xff", "utf-8", false), "a\xef\xbf\xbd");
    EXPECT_EQ(to_utf8("é", "no-such-charset", true), "é");
    EXPECT_EQ(to_utf8("é", "../../etc/passwd", true), "é");
    EXPECT_EQ(to_utf8(std::string_view("a\0b", 3), "utf-8", true), "ab");
    EXPECT_EQ(to_utf8("\x81", "windows-1252", true), "\xef\xbf\xbd");
    EXPECT_EQ(to_utf8("\x93", "shift_jis", true), "\xef\xbf\xbd");
}

}  // namespace
}  // namespace stele::tools::web
