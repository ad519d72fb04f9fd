// SPDX-License-Identifier: Apache-2.0

/// Private keys made for these tests, known to nobody who lets anybody in.
enum TestKeys {
  static let all = [
    """
    {"kty":"RSA","kid":"rsa-PS256","n":"3RTaOIWOkyPiXTRR8vWXmorSJhnEsOJOGZDNeg4ZjYdUMYWgeu8vbpSJf8FcZvEv\
    t6x93-XUH1Oh8xZwBXS1b8OSVW0KWeRzDQPqWT_6AFmu1I7wLUTmuPY9RltKbCQc9PZ7JpGRHjFNAqJa-mREkIGhEd-Waco7kivp\
    BurcbTr1R-zlVGchZCQkW4XgHn2zZcn3mKWj65jml8AHXP95NzN7lHXab8_LZgJEEStt42LS9HL2KU4u2ZYvyyx1ydyKtj3k5YOB\
    eAKxm3MuajbOAH7AqBzrJ0iSAG4YTorYNerpDAA_mqZv6ASk2rwROoutEa80DuvtaQXMOLrjg1oD1w","e":"AQAB","d":"A3-u\
    0RctVvR0mCSu_qksAYpHN3V6mzwG9WOeb4XlRKFKz_p9PC9924JRR2rQI2GXb5DfcG7ViRC3RD7A021HPndktk0NTWKOqZA8IgvK\
    UT1vcAtlD1UC-7614IpVpq7O9dd9bRz_pBqD9_yJc7io1x_zZHIv515dIVE9lQTxgRmsD47lXjwq6EQMW0Rs9aJQGDEdjlDeAXiX\
    sWcmPjbVJF-UzMBpL6GxyemUFeVRqfG9D6blHbqiy3Rcyyh-XdfpM10oBcHU-ct4SBSUbXg4MJJWBf7TQlU8QZnncieyIvJuRgp0\
    -363JDP_l9hR7mRRyuygGSj7B-j7m1doSE8hUQ","alg":"PS256","p":"-H68qOhLV-xZhRHL_YE5LhUMiN1WXQLzjRlKVZifC\
    Hy4YT7WNasap0XjoJLOUq7JpEXQM9jBpudqhu5recouVEni53S7lEMtFW5hI1RjiWGxXCJaFgdFi2RUNC45qrsGXhz6EAISU95pS\
    8_NGE0CrS0KcI4QD214fTK8dmIi3Ac","q":"48IqH-wz28poMMvmAtoAgT3Y2fQZRBw1VQ1etBq_TFpegrNyp4Odtlf58b5wTYi\
    _xKf7d9Mj3u4PIY4mq7JwCun78uO265yjZzgrthUheP_B7tP1x8xr3SRkVrin_REcb4B4qpwRTI8a91aQ5458fUMIo_ZpNdawb6X\
    Z_SP-RbE"}
    """,
    """
    {"kty":"RSA","kid":"rsa-none","n":"oB_nPgwnUwjieSfs-Tqk1I8xlP_jJwY96p4_KRDmtKocU_rtvL-EaPYRtOOP3OQF8\
    RI1IVnh2NCKwCm8_4oOg6Ky2qBAyTDCUjTGTb6IFTzPoWPsa_Q60JKD36DcFC8o27n9Td87-kDxwLs1GnhGOq7wuExz1e1h33pw1\
    poqB_gOytz9YFIYvaPEOLcgTUFP2FXXFTthvPGRzOn_7zcxOGC35-oG8r79qnXWW4Sx-I-J93nIMnP8bjr4UlbSBp5SSdCQ4cf9M\
    Ogg80aMB6BQIipiyViOaVMp8aUkr6r1iYjXTAgnqKo5i40_J-Cm582dqjocMyzKPuG361HlyKhciQ","e":"AQAB","d":"HH4Ay\
    jgkaTCMB-30S1bFjLMcKfysYT3Jl61n5LlGrAAXAVSFqA_WEk0y0mKpry795asNPC1_s_JLtizXHgtlUMQLGj7ouEQOV81fOec81\
    LaY5YlfwMfZDVL81zaK4qaPmSWLrqcZx4p12gsVxGuBZ6DIYars87SFNVxWpsEQ2JDhcLYuJFeiZdFbX84dz5mDyUV3464jjr_VZ\
    RNN21YetpkbNOmhB4Wdm7U3tDjpParm13AArXDwHBr36Lk3SUzlKKd8f1lOc7MRRqDXLpkhjnLQ-4hN6UwNdAbd5IffgdMcc2n7v\
    HVLCjO3i0XiN4rMSd6xU0Nt2TmHdPNqk_RNlw"}
    """,
    """
    {"kty":"EC","crv":"P-256","kid":"ec-P-256","x":"fSVCWYlBU3bApOnAFSRqiCOdCwYJ0UpMAAFkjzzcLJA","y":"Eb\
    psXnmSJd6PsOuirTp2QKDGhtLgnx8ZHfRPM_Ay7o4","d":"aiHXU19eMiXOBTNC-M2WQyG4_btZ9y5lmIIW6OS4nSc"}
    """,
    """
    {"kty":"EC","crv":"P-384","kid":"ec-P-384","x":"UE_6FW3gat_TC0RO6OWeIq3zDJNU3dR8UtbaGlZs20Xo8Jo46TiL\
    WfOo9XnpsqpD","y":"D14SjJPAu7b1b04tNoB2xxVYAwdLAAr8fbRLpBLd1y9305bz49VSqWbTU_UvUzjs","d":"gmm5tBJiqW\
    nIoBt4M4RjItHnllTG2DX296t8W6nAWhdQjXHL6gVlxI7dWdsBZ02-"}
    """,
  ]

  /// Some of them as PEM, by their place in `all`.
  static let pem: [(index: Int, text: String)] = [
    (
      0,
      """
      -----BEGIN PRIVATE KEY-----
      MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDdFNo4hY6TI+Jd
      NFHy9ZeaitImGcSw4k4ZkM16DhmNh1QxhaB67y9ulIl/wVxm8S+3rH3f5dQfU6Hz
      FnAFdLVvw5JVbQpZ5HMNA+pZP/oAWa7UjvAtROa49j1GW0psJBz09nsmkZEeMU0C
      olr6ZESQgaER35ZpyjuSK+kG6txtOvVH7OVUZyFkJCRbheAefbNlyfeYpaPrmOaX
      wAdc/3k3M3uUddpvz8tmAkQRK23jYtL0cvYpTi7Zli/LLHXJ3Iq2PeTlg4F4ArGb
      cy5qNs4AfsCoHOsnSJIAbhhOitg16ukMAD+apm/oBKTavBE6i60RrzQO6+1pBcw4
      uuODWgPXAgMBAAECggEAA3+u0RctVvR0mCSu/qksAYpHN3V6mzwG9WOeb4XlRKFK
      z/p9PC9924JRR2rQI2GXb5DfcG7ViRC3RD7A021HPndktk0NTWKOqZA8IgvKUT1v
      cAtlD1UC+7614IpVpq7O9dd9bRz/pBqD9/yJc7io1x/zZHIv515dIVE9lQTxgRms
      D47lXjwq6EQMW0Rs9aJQGDEdjlDeAXiXsWcmPjbVJF+UzMBpL6GxyemUFeVRqfG9
      D6blHbqiy3Rcyyh+XdfpM10oBcHU+ct4SBSUbXg4MJJWBf7TQlU8QZnncieyIvJu
      Rgp0+363JDP/l9hR7mRRyuygGSj7B+j7m1doSE8hUQKBgQD4fryo6EtX7FmFEcv9
      gTkuFQyI3VZdAvONGUpVmJ8IfLhhPtY1qxqnReOgks5SrsmkRdAz2MGm52qG7mt5
      yi5USeLndLuUQy0VbmEjVGOJYbFcIloWB0WLZFQ0LjmquwZeHPoQAhJT3mlLz80Y
      TQKtLQpwjhAPbXh9Mrx2YiLcBwKBgQDjwiof7DPbymgwy+YC2gCBPdjZ9BlEHDVV
      DV60Gr9MWl6Cs3Kng522V/nxvnBNiL/Ep/t30yPe7g8hjiarsnAK6fvy47brnKNn
      OCu2FSF4/8Hu0/XHzGvdJGRWuKf9ERxvgHiqnBFMjxr3VpDnjnx9Qwij9mk11rBv
      pdn9I/5FsQKBgCGcAqhVwtsBfJoi7hQ7hiBVeHyKc0PhQk+zO/qXyeq787Qza4WW
      vuQg78ioEn/cZClzx9U7W/XXFvFpDeBLGDkORUJI55YF//MGGt1MbKoILJTpkIWq
      Nh3EVB86oVIWOaZBBRFlNlVhn5xBXtwKjnIdxWuzyzhK9iD428SnQU/BAoGBAIT9
      z5MsXWut2QEFTp3Dph/ReVprSoWW4x1y3SXVqHZxHla7aeue0uyymmQqi3D6tN+k
      JxZk18FIyNUTKEmBvCLjVhcSGLGjmVagWgXMeOsqjJdkdVPhbeqHYX+x+4WuBCin
      n84fq4pE1b4vchWEAfUyu0ziibTCU+wdsBg8eDFBAoGAPPO4BN6AeRbWPSLIWqcv
      hlHBwDm3WO5sUMDFcxDwAUAj1+ETRVEdMzv5WHUDm1/7UOVQ4ZOrsD+Y3MKL/H8E
      D/2yxuENYGHefQWqR1o6eRwc1emma4wh8EX92R0DxgzE/kinJd6GtPV0sRo5mQpP
      KmWGckik9fPbDqVwTHUNdOk=
      -----END PRIVATE KEY-----
      """
    ),
    (
      2,
      """
      -----BEGIN PRIVATE KEY-----
      MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgaiHXU19eMiXOBTNC
      +M2WQyG4/btZ9y5lmIIW6OS4nSehRANCAAR9JUJZiUFTdsCk6cAVJGqII50LBgnR
      SkwAAWSPPNwskBG6bF55kiXej7Droq06dkCgxobS4J8fGR30TzPwMu6O
      -----END PRIVATE KEY-----
      """
    ),
    (
      3,
      """
      -----BEGIN PRIVATE KEY-----
      MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDCCabm0EmKpacigG3gz
      hGMi0eeWVMbYNfb3q3xbqcBaF1CNccvqBWXEjt1Z2wFnTb6hZANiAARQT/oVbeBq
      39MLRE7o5Z4irfMMk1Td1HxS1toaVmzbRejwmjjpOItZ86j1eemyqkMPXhKMk8C7
      tvVvTi02gHbHFVgDB0sACvx9tEukEt3XL3fTlvPj1VKpZtNT9S9TOOw=
      -----END PRIVATE KEY-----
      """
    ),
  ]
}
