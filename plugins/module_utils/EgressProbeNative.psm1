# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What PowerShell cannot do by itself: a stream with one end for all its reads, a handshake that takes any certificate
# and remembers it, and the documented functions of WinHTTP. C# 5, as Windows PowerShell compiles it.

$script:NativeSource = @'
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace EgressAllowlist
{
    // Passes on to a socket. All reads and writes since Allow() share the same time; the first bytes are remembered.
    public sealed class TimedStream : Stream
    {
        private const int Kept = 40960;
        private readonly Stream inner;
        private readonly MemoryStream seen = new MemoryStream();
        private Stopwatch clock = Stopwatch.StartNew();
        private int milliseconds;

        public TimedStream(Stream inner, int milliseconds)
        {
            this.inner = inner;
            this.milliseconds = milliseconds;
        }

        public void Allow(int milliseconds)
        {
            this.milliseconds = milliseconds;
            clock = Stopwatch.StartNew();
        }

        public void Forget()
        {
            seen.SetLength(0);
        }

        public byte[] Seen { get { return seen.ToArray(); } }

        private int Left()
        {
            long left = milliseconds - clock.ElapsedMilliseconds;
            if (left <= 0) { throw new IOException("timed out", new SocketException((int)SocketError.TimedOut)); }
            return (int)left;
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            inner.ReadTimeout = Left();
            int got = inner.Read(buffer, offset, count);
            if (seen.Length < Kept) { seen.Write(buffer, offset, got); }
            return got;
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            inner.WriteTimeout = Left();
            inner.Write(buffer, offset, count);
        }

        public override void Flush() { inner.Flush(); }
        public override bool CanRead { get { return true; } }
        public override bool CanWrite { get { return true; } }
        public override bool CanSeek { get { return false; } }
        public override bool CanTimeout { get { return true; } }
        public override int ReadTimeout { get { return inner.ReadTimeout; } set { inner.ReadTimeout = value; } }
        public override int WriteTimeout { get { return inner.WriteTimeout; } set { inner.WriteTimeout = value; } }
        public override long Length { get { throw new NotSupportedException(); } }
        public override long Position { get { throw new NotSupportedException(); } set { throw new NotSupportedException(); } }
        public override long Seek(long offset, SeekOrigin origin) { throw new NotSupportedException(); }
        public override void SetLength(long value) { throw new NotSupportedException(); }

        protected override void Dispose(bool disposing)
        {
            if (disposing) { inner.Dispose(); }
            base.Dispose(disposing);
        }
    }

    // Takes every certificate, so that it can be looked at; who trusts it is decided afterwards, by evidence.
    public sealed class Handshake
    {
        public readonly List<byte[]> Sent = new List<byte[]>();
        public bool NameFits;

        public SslStream Open(Stream stream, string host, int protocols)
        {
            SslStream tls = new SslStream(stream, true, Take, Choose);
            tls.AuthenticateAsClient(host, new X509CertificateCollection(), (SslProtocols)protocols, false);
            return tls;
        }

        private bool Take(object sender, X509Certificate own, X509Chain chain, SslPolicyErrors errors)
        {
            Sent.Clear();
            NameFits = (errors & SslPolicyErrors.RemoteCertificateNameMismatch) == 0;
            if (own == null) { return true; }
            Sent.Add(own.GetRawCertData());
            if (chain != null)
            {
                foreach (X509Certificate2 other in chain.ChainPolicy.ExtraStore) { Add(other.RawData); }
            }
            return true;
        }

        private void Add(byte[] raw)
        {
            string text = Convert.ToBase64String(raw);
            if (!Sent.Exists(delegate(byte[] one) { return Convert.ToBase64String(one) == text; })) { Sent.Add(raw); }
        }

        // No certificate of this account is ever shown to anybody.
        private X509Certificate Choose(object sender, string host, X509CertificateCollection own, X509Certificate remote, string[] issuers)
        {
            return null;
        }
    }

    // https://learn.microsoft.com/windows/win32/api/winhttp/
    public static class WinHttp
    {
        [StructLayout(LayoutKind.Sequential)]
        private struct ProxyInfo { public uint AccessType; public IntPtr Proxy; public IntPtr Bypass; }

        [StructLayout(LayoutKind.Sequential)]
        private struct UserProxy
        {
            [MarshalAs(UnmanagedType.Bool)] public bool AutoDetect;
            public IntPtr ConfigUrl;
            public IntPtr Proxy;
            public IntPtr Bypass;
        }

        [StructLayout(LayoutKind.Sequential)]
        private struct AutoProxyOptions
        {
            public uint Flags;
            public uint DetectFlags;
            [MarshalAs(UnmanagedType.LPWStr)] public string ConfigUrl;
            public IntPtr Reserved;
            public uint Reserved2;
            [MarshalAs(UnmanagedType.Bool)] public bool LogonIfChallenged;
        }

        [DllImport("winhttp.dll", SetLastError = true)]
        private static extern bool WinHttpGetDefaultProxyConfiguration(ref ProxyInfo info);
        [DllImport("winhttp.dll", SetLastError = true)]
        private static extern bool WinHttpGetIEProxyConfigForCurrentUser(ref UserProxy info);
        [DllImport("winhttp.dll", SetLastError = true, CharSet = CharSet.Unicode)]
        private static extern IntPtr WinHttpOpen(string agent, uint accessType, IntPtr proxy, IntPtr bypass, uint flags);
        [DllImport("winhttp.dll", SetLastError = true)]
        private static extern bool WinHttpSetTimeouts(IntPtr session, int resolve, int connect, int send, int receive);
        [DllImport("winhttp.dll", SetLastError = true, CharSet = CharSet.Unicode)]
        private static extern bool WinHttpGetProxyForUrl(IntPtr session, string url, ref AutoProxyOptions options, ref ProxyInfo info);
        [DllImport("winhttp.dll")]
        private static extern bool WinHttpCloseHandle(IntPtr session);
        [DllImport("kernel32.dll")]
        private static extern IntPtr GlobalFree(IntPtr memory);

        private static string Taken(IntPtr text)
        {
            if (text == IntPtr.Zero) { return ""; }
            string found = Marshal.PtrToStringUni(text);
            GlobalFree(text);
            return found;
        }

        private static Exception Failure(string function)
        {
            int code = Marshal.GetLastWin32Error();
            return new InvalidOperationException(function + " failed with " + code.ToString());
        }

        // Proxy and bypass list of WinHTTP ("netsh winhttp show proxy").
        public static string[] Machine()
        {
            ProxyInfo info = new ProxyInfo();
            if (!WinHttpGetDefaultProxyConfiguration(ref info)) { throw Failure("WinHttpGetDefaultProxyConfiguration"); }
            return new string[] { Taken(info.Proxy), Taken(info.Bypass) };
        }

        // Of this account: proxy, bypass list, URL of the PAC file, "yes" where it is to be detected.
        public static string[] Account()
        {
            UserProxy info = new UserProxy();
            if (!WinHttpGetIEProxyConfigForCurrentUser(ref info)) { throw Failure("WinHttpGetIEProxyConfigForCurrentUser"); }
            return new string[] { Taken(info.Proxy), Taken(info.Bypass), Taken(info.ConfigUrl), info.AutoDetect ? "yes" : "" };
        }

        // What a PAC file says for a URL. Nobody logs on anywhere for it.
        public static string[] Ask(string url, string configUrl, int milliseconds)
        {
            IntPtr session = WinHttpOpen("egress.allowlist probe", 1, IntPtr.Zero, IntPtr.Zero, 0);
            if (session == IntPtr.Zero) { throw Failure("WinHttpOpen"); }
            try
            {
                WinHttpSetTimeouts(session, milliseconds, milliseconds, milliseconds, milliseconds);
                AutoProxyOptions options = new AutoProxyOptions();
                options.Flags = configUrl == "" ? 1u : 2u;
                options.DetectFlags = configUrl == "" ? 3u : 0u;
                options.ConfigUrl = configUrl == "" ? null : configUrl;
                ProxyInfo info = new ProxyInfo();
                if (!WinHttpGetProxyForUrl(session, url, ref options, ref info)) { throw Failure("WinHttpGetProxyForUrl"); }
                return new string[] { info.AccessType == 1 ? "" : Taken(info.Proxy), Taken(info.Bypass) };
            }
            finally { WinHttpCloseHandle(session); }
        }
    }
}
'@

# Compile it, once for a process.
function Import-Native {
    if ($null -eq ('EgressAllowlist.TimedStream' -as [type])) {
        Add-Type -TypeDefinition $script:NativeSource
    }
}

Export-ModuleMember -Function *
