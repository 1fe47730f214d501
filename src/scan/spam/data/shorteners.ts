/**
 * Hosts that turn a short address into another one, which cannot be seen before it is followed.
 *
 * Source: sublime-security/static-files @ eb76f5269e96, MIT (Copyright 2020 Sublime Security, Inc.; see NOTICE.md here):
 * url_shorteners.
 */
export const SHORTENERS: ReadonlySet<string> = new Set(
  `
  1in.me 1link.in 1url.com 1url.my 2big.at 2ly.link 2nco.com 2pl.us 2tu.us 2ya.com 4url.cc 6url.com a.gg a.nf
  a2a.me abbrr.com acesse.dev acesse.one adjix.com alturl.com amlink.pro artist.link atu.ca azr.link b.link
  b23.ru bacn.me bc5.io bit.do bit.ly bitly.cx bkite.com bl.ink bloat.me boxsign.info budurl.com buff.ly buk.me
  burnurl.com c-o.in canva.link chilp.it chl.li clck.ru cli.gs cli.re clickmeter.com conta.cc cort.as cutt.ly
  cuturl.com cuty.io dalt.in dcv.ms decenturl.com dfl8.me digbig.com digg.com doiop.com dub.co dub.sh
  dwarfurl.com dy.fi e.vg easyuri.com easyurl.net eepurl.com encr.pw encurtador.dev endr.co esyurl.com ewerl.com
  f0rk.in fa.b ff.im fff.to fhurl.com fire.to firsturl.de flic.kr flowcode.com flowto.it fly2.ws fon.gs fwd4.me
  geno.link gl.am go.9nl.com go2.me go2cut.com go2l.ink goo.gl goo.su goshrink.com gowat.ch gri.ms gurl.es
  hamns.net hellotxt.com hex.io hideuri.com hover.com href.in ht.ly htxt.it hubs.ly hugeurl.com hurl.it hurl.me
  hurl.ws ibit.ly icanhaz.com idek.net inlnk.co inreply.to ionos.ly is.gd iscool.net iterasi.net jijr.com
  jmp2.net just.as kissa.be kl.am klck.me kont.ly korta.nu krunchd.com kurzlinks.de kutt.it l1nk.dev l1nq.com
  liip.to liltext.com lin.cr linkbee.com linkbun.ch linkfollowservice.com linkify.ru linkly.link linksrtnr.com
  linkurl.pk liurl.cn ln-s.net ln-s.ru ln.run lnk.gd lnk.in lnk.ink lnk.sk lnkd.in loopt.us lru.jp lt.tl lurl.no
  lytl.io metamark.net migre.me minilien.com miniurl.com minurl.fr mjt.lu moourl.com myqrcode.mobi myurl.in n9.cl
  ne1.net njx.me nn.nf notlong.com nsfw.in nz.sa o-x.fr om.ly ow.ly parg.co pd.am pic.gd ping.fm piurl.com pnt.me
  poprl.com post.ly posted.at postly.link profile.to qicute.com qlnk.net qr.coffee qr.fm qrco.de qrkit.co qrsu.io
  qti.ai quip-art.com rb.gy rb6.me rebrand.ly redirx.com replug.link reurl.cc ri.ms rickroll.it riz.gd
  rsmonkey.com ru.ly rubyurl.com s.craft.me s.gy s.id s7y.us safe.mn scan.page scnv.io share.google sharein.com
  sharetabs.com shorl.com short.gy short.ie short.io short.to shorten.tv shorten.world shorter.gg shorter.me
  shortlinks.co.uk shortna.me shorturl.asia shorturl.at shorturl.com shorturl.fm shoturl.us shrinkify.com
  shrinkster.com shrt.st shrtcnl.com shrten.com shrunkin.com shw.me simurl.com sn.im snip.ly snipr.com
  snipurl.com snurl.com sp2.ro spedr.com sqrl.it starturl.com sturly.com su.pr surl.li t.co t.ly t2m.io tcrn.ch
  teensy.co.nf thrdl.es tighturl.com tiny.cc tiny.pl tiny123.com tinyarro.ws tinyl.io tinytw.it tinyuri.ca
  tinyurl.com tinyvid.io tli.su tnij.org to.ly togoto.us tr.ee tr.im tr.my traceurl.com trflk.cc trib.al
  trimmer.to turo.us tweetburner.com twirl.at twit.ac twitterpan.com twitthis.com twiturl.de twixar.me twtr.to
  twurl.cc twurl.nl tyny.to u.mavrev.com u.nu u.to u6e.de ub0.cc updating.me ur1.ai ur1.ca url.co.uk url.ie
  url4.eu urlao.com urlbrief.com urlcover.com urlcut.com urlenco.de urlfy.me urlhawk.com urlkiss.com urlot.com
  urlpire.com urlr.me urls.fr urlx.ie urlx.org urlz.fr urlzen.com utm.guru v.gd virl.com vl.am vo.la w3t.org
  wa.link wapurl.co.uk webredirect.click webrefer.cc wipi.es wp.me x.co x.se xaddr.com xeeurl.com xr.com xrl.in
  xrl.us xurl.jp xurl.pl xzb.cc yep.it yfrog.com ytube.io yweb.com zat.ink zfrmz.com zi.ma zi.pe zipmyurl.com
  zpr.io zz.gd
  `
    .trim()
    .split(/\s+/),
)
